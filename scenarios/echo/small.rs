//! Small messages, one in flight on each connection: what a request costs when its bytes cost nothing.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::session::{EchoSession, message_size};
use crate::load::{plan, verify_load};

/// `echo/small`.
pub(crate) struct Small;

const META: ScenarioMeta = ScenarioMeta {
    id: "echo/small",
    question: "How much processor time does one small message cost, there and back?",
    operations: "messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "64B",
            smoke: None,
            about: "Bytes of a message, at least 24 B.",
        },
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "64",
            smoke: None,
            about: "Connections; 1, 64 and 400 are in the plans.",
        },
    ],
};

impl Scenario for Small {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        message_size(params)?;
        plan(params, params.count("connections"))
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let size = message_size(params).expect("`load` has refused other sizes");
        Box::new(EchoSession::new(size, seed, connection))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))
    }
}
