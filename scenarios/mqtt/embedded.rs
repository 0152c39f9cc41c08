//! A small machine: 500 clients of a broker that has 512 MiB of memory and a tenth of one core.

use ringside_contract::{
    Confinement, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario,
    ScenarioMeta, Session, Violation,
};

use super::pairs;
use super::parameters::{QOS, SIZE, VERSION, window};

/// `mqtt/embedded`.
pub(crate) struct Embedded;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/embedded",
    question: "What does it carry with 512 MiB of memory and a tenth of a core?",
    operations: "messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "500",
            smoke: Some("20"),
            about: "Clients: publishers, each with a topic and a subscriber of its own. An odd one is left out.",
        },
        QOS,
        SIZE,
        VERSION,
        window("1"),
    ],
};

/// The documents' smallest machine has 512 MB.
const MEMORY: u64 = 512 << 20;

/// A core of theirs does about a tenth of one of a server's.
const CORE_SHARE: f64 = 0.1;

fn pairs_of(params: &Params) -> u32 {
    (params.count("connections") / 2).max(1)
}

impl Scenario for Embedded {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        pairs::load(params, pairs_of(params))
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        pairs::session(params, seed, connection, pairs_of(params))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        pairs::verify(measures, pairs_of(params))
    }

    fn confinement(&self, _params: &Params) -> Confinement {
        Confinement {
            memory_bytes: Some(MEMORY),
            core_share: Some(CORE_SHARE),
            ..Confinement::default()
        }
    }
}
