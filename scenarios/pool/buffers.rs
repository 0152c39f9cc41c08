//! Buffers that are taken and given back.

use ringside_contract::operations::pool::{BufferSizes, PoolTask};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 100;

/// A thread with more would have more than memory's share.
const HELD_MAX: u32 = 64;

/// `pool/buffers`.
pub(crate) struct Buffers;

const META: ScenarioMeta = ScenarioMeta {
    id: "pool/buffers",
    question: "How many buffers a second are taken, filled and given back?",
    operations: "buffers",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "sizes",
            kind: ParameterKind::Choice(&["mixed", "1KiB", "8KiB", "64KiB", "1MiB"]),
            default: "mixed",
            smoke: None,
            about: "How large: up to 1 KiB in 60 of 100 cases, 8 KiB in 30, 64 KiB in 9, 1 MiB in 1; or all the same.",
        },
        Parameter {
            name: "held",
            kind: ParameterKind::Count,
            default: "16",
            smoke: None,
            about: "Buffers that a thread has at a time, at most 64.",
        },
        THREADS,
    ],
};

impl Scenario for Buffers {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let held = params.count("held");
        if !(1..=HELD_MAX).contains(&held) {
            return Err(ParamError::Conflict {
                because: format!("held={held}: 1 to {HELD_MAX} of them"),
            });
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Pool(PoolTask::Buffers {
                sizes: match params.text("sizes") {
                    "1KiB" => BufferSizes::Bytes(1 << 10),
                    "8KiB" => BufferSizes::Bytes(8 << 10),
                    "64KiB" => BufferSizes::Bytes(64 << 10),
                    "1MiB" => BufferSizes::Bytes(1 << 20),
                    _ => BufferSizes::Mixed,
                },
                held: params.count("held"),
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
