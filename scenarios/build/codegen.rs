//! The same loops in programs that were built in several ways.

use ringside_contract::operations::build::{BuildTask, Part};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// `build/codegen`.
pub(crate) struct Codegen;

const META: ScenarioMeta = ScenarioMeta {
    id: "build/codegen",
    question: "What do the flags of a build change?",
    operations: "turns",
    ranked_by: "throughput",
    parameters: &[Parameter {
        name: "loop",
        kind: ParameterKind::Choice(&["all", "hash", "codec", "map", "http", "atomics", "floats"]),
        default: "all",
        smoke: None,
        about: "What is done in a turn. hash: a key of 1 KiB is hashed; codec: an entry of a log is written and one is read; \
                map: a map is asked for a key; http: the head of a request is read; all: one of each of these; atomics: one is \
                added to a shared number; floats: a product and a sum.",
    }],
};

impl Scenario for Codegen {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        worker_plan(params, 1)
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: 1,
            batch: BATCH,
            seed,
            task: Task::Build(BuildTask {
                part: match params.text("loop") {
                    "hash" => Part::Hash,
                    "codec" => Part::Codec,
                    "map" => Part::Map,
                    "http" => Part::Http,
                    "atomics" => Part::Atomics,
                    "floats" => Part::Floats,
                    _ => Part::All,
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
