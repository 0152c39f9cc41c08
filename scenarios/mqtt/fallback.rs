//! Messages through a broker that io_uring is kept from, as containers do: whether it serves all the same.

use ringside_contract::{
    Confinement, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario,
    ScenarioMeta, Session, Violation,
};

use super::pairs;
use super::parameters::{QOS, SIZE, VERSION, window};

/// `mqtt/fallback`.
pub(crate) struct Fallback;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/fallback",
    question: "Does it serve where io_uring is refused, and at what cost?",
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
        QOS,
        SIZE,
        VERSION,
        window("64"),
    ],
};

impl Scenario for Fallback {
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
        pairs::verify(measures, params.count("pairs"))
    }

    fn confinement(&self, _params: &Params) -> Confinement {
        Confinement {
            refuse_io_uring: true,
            ..Confinement::default()
        }
    }
}
