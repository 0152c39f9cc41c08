//! Events that every subscriber is told of.

use ringside_contract::operations::events::{BURST, EventTask, SUBSCRIBERS_MAX, THREADS_MAX};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Events between two looks at the clock: as many as a thread publishes without looking at what came.
const BATCH: u32 = BURST;

/// `events/fan`.
pub(crate) struct Fan;

const META: ScenarioMeta = ScenarioMeta {
    id: "events/fan",
    question: "How many events a second reach every subscriber?",
    operations: "events",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "subscribers",
            kind: ParameterKind::Count,
            default: "4",
            smoke: None,
            about: "How many there are, shared out among the threads: at least one for each, at most 64.",
        },
        Parameter {
            default: "2",
            ..THREADS
        },
    ],
};

impl Scenario for Fan {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let (subscribers, threads) = (params.count("subscribers"), params.count("threads"));
        if threads > THREADS_MAX {
            return Err(ParamError::Conflict {
                because: format!("threads={threads}: at most {THREADS_MAX} publish"),
            });
        }
        if subscribers < threads || subscribers > SUBSCRIBERS_MAX {
            return Err(ParamError::Conflict {
                because: format!(
                    "subscribers={subscribers}: at least one for each of {threads} threads, and at most {SUBSCRIBERS_MAX}"
                ),
            });
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Events(EventTask {
                subscribers: params.count("subscribers"),
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
