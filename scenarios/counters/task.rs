//! What the scenarios of the family have in common: threads count, and only how many there are differs.

use ringside_contract::operations::counters::CounterTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, verify_worker, worker_plan};

/// How often the total is asked for.
pub(super) const READS: Parameter = Parameter {
    name: "reads",
    kind: ParameterKind::Choice(&["0", "1", "10"]),
    default: "0",
    smoke: None,
    about: "Of 100 operations so many ask for the total; the others count.",
};

/// Operations between two looks at the clock.
const BATCH: u32 = 4000;

/// A scenario of the family.
pub(crate) struct CounterScenario {
    pub(super) meta: &'static ScenarioMeta,
    pub(super) threads: fn(&Params) -> u32,
}

impl Scenario for CounterScenario {
    fn meta(&self) -> &'static ScenarioMeta {
        self.meta
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        worker_plan(params, (self.threads)(params))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: (self.threads)(params),
            batch: BATCH,
            seed,
            task: Task::Counters(CounterTask {
                reads: params.text("reads").parse().unwrap_or_default(),
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
