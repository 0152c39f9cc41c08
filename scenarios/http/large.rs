//! Large files: how the bytes reach the socket decides.
//!
//! The generator compares one transfer in 16 byte by byte (connections take turns). Of the others it
//! compares head and length and lets the kernel throw the body away, since copying and comparing it
//! would cost the generator more than sending it costs the server.

use std::time::Duration;

use ringside_contract::{
    Fixture, LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario,
    ScenarioMeta, Session, Violation,
};

use super::file::{fixture, fixture_bytes};
use super::session::{HttpSession, Use};
use crate::load::{plan, verify_load};

/// `http/large`.
pub(crate) struct Large;

/// From this size on, `connections=auto` is one connection: the documents tell the time of one
/// transfer, which a hundred at a time would take a hundred times as long for.
const ALONE_FROM: u64 = 100_000_000;

/// What `connections=auto` is below that.
const TOGETHER: u32 = 100;

const META: ScenarioMeta = ScenarioMeta {
    id: "http/large",
    question: "What does a gigabyte of file cost, and how long does one file take?",
    operations: "transfers",
    ranked_by: "cpu_per_gb",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "10MB",
            smoke: None,
            about: "Bytes of the file.",
        },
        Parameter {
            name: "connections",
            kind: ParameterKind::Choice(&["auto", "1", "2", "4", "10", "16", "64", "100", "400"]),
            default: "auto",
            smoke: None,
            about: "Connections; auto is 100 for files below 100MB and 1 from there on, where the \
                    time of one transfer is asked for.",
        },
    ],
};

fn connections(params: &Params) -> u32 {
    match params.text("connections").parse() {
        Ok(connections) => connections,
        Err(_) if params.size("size") >= ALONE_FROM => 1,
        Err(_) => TOGETHER,
    }
}

impl Scenario for Large {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let connections = connections(params);
        Ok(LoadPlan {
            // 1 GB by 100 connections at 0.5 GB/s takes 200 s; no transfer here should take half.
            timeout: Duration::from_secs(100),
            read_buffer: 256 << 10,
            // One transfer of each connection, and enough of one connection's for a median.
            operations_min: u64::from(connections).max(5),
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
        verify_load(measures, connections(params))
    }

    fn fixtures(&self, params: &Params) -> Vec<Fixture> {
        vec![fixture(params.size("size"))]
    }

    fn fixture_bytes(&self, fixture: &Fixture, offset: u64, buffer: &mut [u8]) {
        fixture_bytes(fixture, offset, buffer);
    }
}
