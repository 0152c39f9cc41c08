//! What the scenarios of the family have in common: each thread hashes, and only what it hashes differs.

use ringside_contract::operations::hash::HashTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Params, Scenario, ScenarioMeta, Session, Violation,
};

use crate::workers::{NoConversation, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// A scenario of the family.
pub(crate) struct HashScenario {
    pub(super) meta: &'static ScenarioMeta,
    /// What is hashed, or why these parameters do not go together.
    pub(super) task: fn(&Params) -> Result<HashTask, ParamError>,
}

impl Scenario for HashScenario {
    fn meta(&self) -> &'static ScenarioMeta {
        self.meta
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        (self.task)(params)?;
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            // `load` has refused other parameters.
            task: Task::Hash((self.task)(params).ok()?),
        })
    }

    fn session(&self, _: &Params, _: u64, _: u32) -> Box<dyn Session> {
        Box::new(NoConversation)
    }

    fn verify(&self, _: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_worker(measures)
    }
}
