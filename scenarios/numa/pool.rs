//! Threads on all nodes that need buffers for a short time.

use ringside_contract::operations::numa::NumaTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 100;

/// The largest buffer.
const BYTES_MAX: u64 = 1 << 30;

/// `numa/pool`.
pub(crate) struct Pool;

const META: ScenarioMeta = ScenarioMeta {
    id: "numa/pool",
    question: "How long do threads on all nodes take to get buffers, use them and give them back?",
    operations: "buffers",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "bytes",
            kind: ParameterKind::Size,
            default: "64KiB",
            smoke: None,
            about: "A buffer, from 64 B to 1 GiB.",
        },
        Parameter {
            name: "threads",
            kind: ParameterKind::Count,
            default: "4",
            smoke: None,
            about: "Threads that work at the same time, on each node in turn.",
        },
    ],
};

impl Scenario for Pool {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let bytes = params.size("bytes");
        if !(64..=BYTES_MAX).contains(&bytes) {
            return Err(ParamError::Conflict {
                because: format!("bytes={bytes}: a buffer has from 64 B to 1 GiB"),
            });
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Numa(NumaTask::Buffers {
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
