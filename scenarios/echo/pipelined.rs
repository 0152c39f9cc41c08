//! Small messages, 16 in flight on each connection: what is left when system calls are shared.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::session::{EchoSession, message_size};
use crate::load::{plan, verify_load};

/// `echo/pipelined`.
pub(crate) struct Pipelined;

const META: ScenarioMeta = ScenarioMeta {
    id: "echo/pipelined",
    question: "How much processor time does one small message cost when 16 share a packet?",
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
            about: "Connections.",
        },
        Parameter {
            name: "window",
            kind: ParameterKind::Count,
            default: "16",
            smoke: None,
            about: "Messages in flight on one connection.",
        },
    ],
};

impl Scenario for Pipelined {
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
