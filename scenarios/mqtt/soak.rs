//! Messages for as long as the window is: whether memory stays flat.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::pairs;
use super::parameters::{SIZE, VERSION, window};

/// `mqtt/soak`.
pub(crate) struct Soak;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/soak",
    question: "Does memory stay flat while messages flow for long?",
    operations: "messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "pairs",
            kind: ParameterKind::Count,
            default: "50",
            smoke: Some("4"),
            about: "Publishers, each with a topic and a subscriber of its own.",
        },
        Parameter {
            name: "qos",
            kind: ParameterKind::Choice(&["1", "2", "0"]),
            default: "1",
            smoke: None,
            about: "Quality of service of both sides.",
        },
        Parameter {
            name: "load",
            kind: ParameterKind::Choice(&["closed", "open", "sweep"]),
            default: "open",
            smoke: None,
            about: "open publishes `rate` times a second, over all publishers in turn.",
        },
        Parameter {
            name: "rate",
            kind: ParameterKind::Rate,
            default: "20000",
            smoke: None,
            about: "Messages a second.",
        },
        SIZE,
        VERSION,
        window("64"),
    ],
};

/// Growth within a window that is none: the allocator keeps a little more now and then.
const GROWTH_MAX: i64 = 4 << 20;

impl Scenario for Soak {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        pairs::load(params, params.count("pairs"))
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        pairs::session(params, seed, connection, params.count("pairs"))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        pairs::verify(measures, params.count("pairs"))?;
        let growth = measures
            .server
            .as_ref()
            .map_or(0, |side| side.rss_growth_bytes);
        if growth <= GROWTH_MAX {
            return Ok(());
        }
        let (grown, allowed) = (growth as f64 / 1e6, GROWTH_MAX as f64 / 1e6);
        Err(Violation {
            because: format!(
                "the server's memory grew by {grown:.1} MB in {:.0} s while the same messages flowed; at most \
                 {allowed:.1} MB were to be seen",
                measures.duration_s
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use ringside_contract::Side;

    use super::*;

    #[test]
    fn memory_that_grows_breaks_the_promise() {
        let spec = "mqtt/soak".parse().unwrap();
        let params = META.resolve(&spec).unwrap();
        let measures = |growth| Measures {
            operations: 1000,
            connections: 100,
            server: Some(Side {
                rss_growth_bytes: growth,
                ..Side::default()
            }),
            ..Measures::default()
        };
        assert_eq!(Soak.verify(&params, &measures(100_000)), Ok(()));
        let because = Soak
            .verify(&params, &measures(50_000_000))
            .unwrap_err()
            .because;
        assert!(because.contains("50.0 MB"), "{because}");
    }
}
