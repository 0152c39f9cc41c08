//! Requests that ask whether they may go on.

use ringside_contract::operations::rate_limit::RateTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// `rate_limit/ask`.
pub(crate) struct Ask;

const META: ScenarioMeta = ScenarioMeta {
    id: "rate_limit/ask",
    question: "What does it cost to ask whether a request may go on?",
    operations: "questions",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "limit",
            kind: ParameterKind::Choice(&["high", "low"]),
            default: "high",
            smoke: None,
            about: "high: 1,000,000,000 requests a second may go on, more than ask; low: 10,000, so that a limit of a rate refuses nearly all.",
        },
        THREADS,
    ],
};

impl Scenario for Ask {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::RateLimit(RateTask {
                rate_per_s: match params.text("limit") {
                    "low" => 10_000,
                    _ => 1_000_000_000,
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
