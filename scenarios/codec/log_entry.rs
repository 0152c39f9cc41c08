//! Entries of a log as bytes and back.

use ringside_contract::operations::codec::{CodecTask, DATA_MAX, Direction};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// `codec/log_entry`.
pub(crate) struct LogEntry;

const META: ScenarioMeta = ScenarioMeta {
    id: "codec/log_entry",
    question: "How long does it take to write an entry of a log as bytes, and to read one?",
    operations: "entries",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "256B",
            smoke: None,
            about: "Bytes of an entry's data, at most 1 MiB.",
        },
        Parameter {
            name: "direction",
            kind: ParameterKind::Choice(&["both", "encode", "decode"]),
            default: "both",
            smoke: None,
            about: "What is done with each: it is written, and another one like it is read, or one of both.",
        },
        Parameter {
            name: "frame",
            kind: ParameterKind::Choice(&["off", "on"]),
            default: "off",
            smoke: None,
            about: "Whether each is in a frame, with its length and a checksum.",
        },
        THREADS,
    ],
};

impl Scenario for LogEntry {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let size = params.size("size");
        if size > DATA_MAX as u64 {
            return Err(ParamError::Conflict {
                because: format!("size={size}: an entry has at most {DATA_MAX} bytes"),
            });
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Codec(CodecTask {
                // At most `DATA_MAX`.
                size: params.size("size") as u32,
                direction: match params.text("direction") {
                    "encode" => Direction::Encode,
                    "decode" => Direction::Decode,
                    _ => Direction::Both,
                },
                framed: params.text("frame") == "on",
            }),
        })
    }

    fn session(&self, _: &Params, _: u64, _: u32) -> Box<dyn Session> {
        Box::new(NoConversation)
    }

    fn verify(&self, _: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_worker(measures)
    }
}
