//! A small file over connections that are kept: what the server does for each request.

use ringside_contract::{
    Fixture, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario,
    ScenarioMeta, Session, Violation,
};

use super::file::{fixture, fixture_bytes};
use super::session::{HttpSession, Use};
use crate::load::{plan, verify_load};

/// `http/small`.
pub(crate) struct Small;

const META: ScenarioMeta = ScenarioMeta {
    id: "http/small",
    question: "How many small requests does a second of processor time serve?",
    operations: "requests",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "1KiB",
            smoke: None,
            about: "Bytes of the file.",
        },
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "64",
            smoke: None,
            about: "Connections; 64 and 400 are in the plans.",
        },
    ],
};

impl Scenario for Small {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        plan(params, params.count("connections"))
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        Box::new(HttpSession::new(
            params.size("size"),
            Use::KeepAlive,
            connection,
        ))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))
    }

    fn fixtures(&self, params: &Params) -> Vec<Fixture> {
        vec![fixture(params.size("size"))]
    }

    fn fixture_bytes(&self, fixture: &Fixture, offset: u64, buffer: &mut [u8]) {
        fixture_bytes(fixture, offset, buffer);
    }
}
