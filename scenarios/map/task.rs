//! What the scenarios of the family have in common: threads ask for entries, and only how often they write differs.

use ringside_contract::operations::map::MapTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, key_choice, verify_worker, worker_plan};

/// How many entries.
pub(super) const ENTRIES: Parameter = Parameter {
    name: "entries",
    kind: ParameterKind::Count,
    default: "10000",
    smoke: None,
    about: "Entries of the map; 10000 are in the second cache of a core, a million in none.",
};

/// Which of them.
pub(super) const KEYS: Parameter = Parameter {
    name: "keys",
    kind: ParameterKind::Choice(&["uniform", "zipf", "hot"]),
    default: "uniform",
    smoke: None,
    about: "Which entries are asked for: all alike, by a Zipf law of exponent 0.99, or one alone.",
};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// A scenario of the family.
pub(crate) struct MapScenario {
    pub(super) meta: &'static ScenarioMeta,
    /// Of 100 operations so many read; the others write.
    pub(super) reads: fn(&Params) -> u32,
    /// Whether each waits for what the one before found.
    pub(super) chained: fn(&Params) -> bool,
}

impl Scenario for MapScenario {
    fn meta(&self) -> &'static ScenarioMeta {
        self.meta
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Map(MapTask {
                entries: params.count("entries"),
                reads: (self.reads)(params),
                keys: key_choice(params),
                chained: (self.chained)(params),
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
