//! Many connections that are kept, few of which have anything to do: what a connection costs that only
//! waits.
//!
//! Each connection asks once when it comes up (that is no operation), so that the server holds what it
//! holds for one that was used; then a small share goes on asking.

use ringside_contract::{
    Fixture, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario,
    ScenarioMeta, Session, Violation,
};

use super::file::{fixture, fixture_bytes};
use super::session::{HttpSession, Use};
use crate::load::{plan, verify_answers};

/// `http/connections`.
pub(crate) struct Connections;

const META: ScenarioMeta = ScenarioMeta {
    id: "http/connections",
    question: "How much memory does a connection cost that is only kept?",
    operations: "requests",
    ranked_by: "memory_per_connection",
    parameters: &[
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "10000",
            smoke: Some("500"),
            about: "Connections to keep; fewer where the limit on open files does not allow them, \
                    which a warning then says.",
        },
        Parameter {
            name: "active",
            kind: ParameterKind::Count,
            default: "64",
            smoke: None,
            about: "Connections that go on asking.",
        },
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "1KiB",
            smoke: None,
            about: "Bytes of the file.",
        },
    ],
};

impl Scenario for Connections {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let connections = params.count("connections");
        let active = params.count("active").min(connections);
        Ok(LoadPlan {
            connections_min: 1,
            active,
            ..plan(params, connections)?
        })
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        Box::new(HttpSession::new(
            params.size("size"),
            Use::Warmed,
            connection,
        ))
    }

    /// Connections that the generator could not open for its own limits are said in a warning; those
    /// that the server refused or dropped break the promise.
    fn verify(&self, _params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_answers(measures)?;
        if measures.connect_failures > 0 {
            return Err(Violation {
                because: format!(
                    "{} connections could not be opened beside {} that could ({}); a server may \
                     need a higher limit on open files (ulimit -n)",
                    measures.connect_failures,
                    measures.connections,
                    measures.error_samples.join("; ")
                ),
            });
        }
        if measures.errors > 0 {
            return Err(Violation {
                because: format!(
                    "{} requests were lost while only {} connections were asking: the server \
                     dropped connections ({})",
                    measures.errors,
                    measures.connections,
                    measures.error_samples.join("; ")
                ),
            });
        }
        Ok(())
    }

    fn fixtures(&self, params: &Params) -> Vec<Fixture> {
        vec![fixture(params.size("size"))]
    }

    fn fixture_bytes(&self, fixture: &Fixture, offset: u64, buffer: &mut [u8]) {
        fixture_bytes(fixture, offset, buffer);
    }
}
