//! Messages of 64 KiB: what moving bytes costs, in and out.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::session::{EchoSession, message_size};
use crate::load::{plan, verify_load};

/// `echo/large`.
pub(crate) struct Large;

const META: ScenarioMeta = ScenarioMeta {
    id: "echo/large",
    question: "How much processor time does a message of many packets cost, there and back?",
    operations: "messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "64KiB",
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
    ],
};

impl Scenario for Large {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        message_size(params)?;
        // A whole message fits the buffer, so that it takes one receive when it has arrived.
        Ok(LoadPlan {
            read_buffer: 256 << 10,
            ..plan(params, params.count("connections"))?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let size = message_size(params).expect("`load` has refused other sizes");
        Box::new(EchoSession::new(size, seed, connection))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))
    }
}
