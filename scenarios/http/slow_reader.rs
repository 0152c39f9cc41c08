//! Clients that read slowly: a server must not keep in memory what they have not read.

use std::time::Duration;

use ringside_contract::{
    Fixture, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario,
    ScenarioMeta, Session, SocketOptions, Violation,
};

use super::file::{fixture, fixture_bytes};
use super::session::{HttpSession, Use};
use crate::load::{plan, verify_load};

/// `http/slow_reader`.
pub(crate) struct SlowReader;

/// What a server may hold for one connection: a buffer of 1 MiB is the largest that it can be asked
/// for (`body=copy_1m`).
const CONNECTION_MAX: u64 = 1 << 20;

/// What a server may take besides while it starts to serve: stacks, tables, the allocator's reserves.
const OTHER_MAX: u64 = 16 << 20;

const META: ScenarioMeta = ScenarioMeta {
    id: "http/slow_reader",
    question: "Does the server's memory stay flat while clients read slowly?",
    operations: "transfers",
    ranked_by: "peak_memory",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "8MB",
            smoke: None,
            about: "Bytes of the file: well above the 1 MiB that a connection may hold.",
        },
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "50",
            smoke: None,
            about: "Connections that read slowly.",
        },
        Parameter {
            name: "read_rate",
            kind: ParameterKind::Size,
            default: "8MB",
            smoke: None,
            about: "Bytes that each connection reads in a second.",
        },
    ],
};

/// What the server's resident set may be above what it was before the first connection: one copy of
/// the file, a buffer for each connection, and some more. One that kept what was not read would hold
/// the file once for each connection: 400 MB where 77 are allowed.
fn memory_bound(params: &Params) -> u64 {
    let connections = u64::from(params.count("connections"));
    params.size("size") + connections * CONNECTION_MAX + OTHER_MAX
}

impl Scenario for SlowReader {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let read_rate = params.size("read_rate");
        if read_rate == 0 {
            let because = "read_rate=0B: a connection that never reads never ends".to_owned();
            return Err(ParamError::Conflict { because });
        }
        let connections = params.count("connections");
        Ok(LoadPlan {
            sockets: SocketOptions {
                // A small one, so that the bytes wait at the server and not in the kernel.
                receive_buffer: Some(128 << 10),
                read_bytes_per_s: Some(read_rate),
            },
            timeout: Duration::from_secs(60) + Duration::from_secs(params.size("size") / read_rate),
            read_buffer: 256 << 10,
            operations_min: u64::from(connections),
            ..plan(params, connections)?
        })
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        Box::new(HttpSession::new(
            params.size("size"),
            Use::KeepAlive,
            connection,
        ))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))?;
        let Some(server) = &measures.server else {
            return Ok(());
        };
        let grown = server.rss_bytes.saturating_sub(server.rss_before_bytes);
        let bound = memory_bound(params);
        if grown > bound {
            return Err(Violation {
                because: format!(
                    "the server's memory grew by {grown} bytes, above {bound} (one copy of the \
                     file, 1 MiB for each connection, 16 MiB): it keeps what was not read"
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

#[cfg(test)]
mod tests {
    use ringside_contract::Side;

    use super::*;

    fn outcome(grown: u64) -> Result<(), Violation> {
        let params = META.resolve(&"http/slow_reader".parse().unwrap()).unwrap();
        let server = Side {
            rss_before_bytes: 1 << 20,
            rss_bytes: (1 << 20) + grown,
            ..Side::default()
        };
        let measures = Measures {
            operations: 50,
            connections: 50,
            server: Some(server),
            ..Measures::default()
        };
        SlowReader.verify(&params, &measures)
    }

    #[test]
    fn memory_that_holds_all_files_is_a_violation_and_buffers_are_not() {
        assert_eq!(outcome(60_000_000), Ok(()));
        assert!(
            outcome(400_000_000)
                .unwrap_err()
                .because
                .contains("memory grew")
        );
    }
}
