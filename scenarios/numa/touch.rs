//! Threads on all nodes that read memory.

use ringside_contract::operations::numa::NumaTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// The most bytes of a thread.
const BYTES_MAX: u64 = 8 << 30;

/// `numa/touch`.
pub(crate) struct Touch;

const META: ScenarioMeta = ScenarioMeta {
    id: "numa/touch",
    question: "How fast do threads on all nodes read memory, by where it lies?",
    operations: "reads",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "bytes",
            kind: ParameterKind::Size,
            default: "64MiB",
            smoke: Some("4MiB"),
            about: "Memory of each thread, far more than a cache holds; at most 8 GiB.",
        },
        Parameter {
            name: "threads",
            kind: ParameterKind::Count,
            default: "4",
            smoke: None,
            about: "Threads that read at the same time, on each node in turn.",
        },
    ],
};

impl Scenario for Touch {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let bytes = params.size("bytes");
        if !(4096..=BYTES_MAX).contains(&bytes) {
            return Err(ParamError::Conflict {
                because: format!("bytes={bytes}: a thread has from 4 KiB to 8 GiB"),
            });
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Numa(NumaTask::Touch {
                bytes: params.size("bytes"),
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
