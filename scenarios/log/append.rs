//! Batches of entries that are on the disk before the next one begins.

use ringside_contract::operations::log::{DATA_MAX, LogTask, Place};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Batches between two looks at the clock, where they are fast.
const BATCH: u32 = 64;

/// Bytes of a batch, of which a log has several before it is begun anew.
const BYTES_MAX: u64 = 16 << 20;

/// `log/append`.
pub(crate) struct Append;

const META: ScenarioMeta = ScenarioMeta {
    id: "log/append",
    question: "How many batches of entries a second can be acknowledged when each is on the disk before?",
    operations: "batches",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "256B",
            smoke: None,
            about: "Bytes of an entry's data, at most 64 KiB.",
        },
        Parameter {
            name: "batch",
            kind: ParameterKind::Choice(&["1", "16", "256", "1024"]),
            default: "256",
            smoke: Some("16"),
            about: "Entries that are written and waited for together.",
        },
        Parameter {
            name: "place",
            kind: ParameterKind::Choice(&["disk", "memory"]),
            default: "disk",
            smoke: None,
            about: "Where the log is: below the folder for temporary files, or in /dev/shm, where waiting for the disk costs nothing.",
        },
        THREADS,
    ],
};

impl Scenario for Append {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let (size, batch) = (params.size("size"), batch(params));
        let conflict = |because: String| Err(ParamError::Conflict { because });
        if !(1..=u64::from(DATA_MAX)).contains(&size) {
            return conflict(format!("size={size}: entries have 1 to {DATA_MAX} bytes"));
        }
        if size * u64::from(batch) > BYTES_MAX {
            return conflict(format!(
                "size={size} and batch={batch}: a batch has at most {BYTES_MAX} bytes"
            ));
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Log(LogTask {
                // At most `DATA_MAX`.
                size: params.size("size") as u32,
                batch: batch(params),
                place: match params.text("place") {
                    "memory" => Place::Memory,
                    _ => Place::Disk,
                },
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

fn batch(params: &Params) -> u32 {
    params.text("batch").parse().unwrap_or(1)
}
