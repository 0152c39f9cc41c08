//! Which backend gets the next request.

use ringside_contract::operations::backends::{BACKENDS_MAX, BackendTask};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// `backends/pick`.
pub(crate) struct Pick;

const META: ScenarioMeta = ScenarioMeta {
    id: "backends/pick",
    question: "How long does it take to pick a backend that is well?",
    operations: "picks",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "backends",
            kind: ParameterKind::Count,
            default: "16",
            smoke: None,
            about: "How many there are, at most 64.",
        },
        Parameter {
            name: "ill",
            kind: ParameterKind::Count,
            default: "4",
            smoke: None,
            about: "Of these, ill ones.",
        },
        Parameter {
            name: "changes",
            kind: ParameterKind::Choice(&["0", "1", "10"]),
            default: "1",
            smoke: None,
            about: "Of 1,000 operations of the first thread so many find that a backend has become ill or well again.",
        },
        THREADS,
    ],
};

impl Scenario for Pick {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let (backends, ill) = (params.count("backends"), params.count("ill"));
        if !(1..=BACKENDS_MAX).contains(&backends) {
            return Err(ParamError::Conflict {
                because: format!("backends={backends}: there are 1 to {BACKENDS_MAX} of them"),
            });
        }
        if ill >= backends {
            return Err(ParamError::Conflict {
                because: format!("ill={ill} of {backends} backends: at least one has to be well"),
            });
        }
        if params.text("changes") != "0" && backends - ill < 2 {
            return Err(ParamError::Conflict {
                because: format!(
                    "ill={ill} of {backends} backends leaves one, which cannot become ill: take changes=0, or fewer ill ones"
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
            task: Task::Backends(BackendTask {
                backends: params.count("backends"),
                ill: params.count("ill"),
                changes: params.text("changes").parse().unwrap_or_default(),
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
