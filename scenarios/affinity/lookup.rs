//! Which backend a client is kept at.

use ringside_contract::operations::affinity::AffinityTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, key_choice, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// More than a proxy keeps, and few enough for the memory of a small machine.
const SESSIONS_MAX: u32 = 1_000_000;
/// Fewer are not shared out evenly among the parts of a table that has several.
const SESSIONS_MIN: u32 = 1000;

/// `affinity/lookup`.
pub(crate) struct Lookup;

const META: ScenarioMeta = ScenarioMeta {
    id: "affinity/lookup",
    question: "How long does it take to find the backend that a client is kept at?",
    operations: "look-ups",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            default: "2",
            ..THREADS
        },
        Parameter {
            name: "sessions",
            kind: ParameterKind::Count,
            default: "10000",
            smoke: None,
            about: "Clients that have a session before the first operation, at most 1,000,000.",
        },
        Parameter {
            name: "fresh",
            kind: ParameterKind::Choice(&["0", "1", "10"]),
            default: "0",
            smoke: None,
            about: "Of 100 operations so many are those of a client without a session, for whom another one ends.",
        },
        Parameter {
            name: "keys",
            kind: ParameterKind::Choice(&["uniform", "zipf", "hot"]),
            default: "uniform",
            smoke: None,
            about: "Which clients ask: all alike, by a Zipf law of exponent 0.99, or one alone.",
        },
    ],
};

impl Scenario for Lookup {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let sessions = params.count("sessions");
        if !(SESSIONS_MIN..=SESSIONS_MAX).contains(&sessions) {
            return Err(ParamError::Conflict {
                because: format!(
                    "sessions={sessions}: there are {SESSIONS_MIN} to {SESSIONS_MAX} of them"
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
            task: Task::Affinity(AffinityTask {
                sessions: params.count("sessions"),
                fresh: params.text("fresh").parse().unwrap_or_default(),
                keys: key_choice(params),
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
