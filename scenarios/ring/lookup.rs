//! Look-ups of the node that is responsible for a key.

use ringside_contract::operations::ring::{NODES_MAX, RingTask};
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, key_form, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// `ring/lookup`.
pub(crate) struct Lookup;

const META: ScenarioMeta = ScenarioMeta {
    id: "ring/lookup",
    question: "How long does it take to find the node that is responsible for a key?",
    operations: "look-ups",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            name: "nodes",
            kind: ParameterKind::Count,
            default: "100",
            smoke: None,
            about: "Nodes among which keys are shared out, at most 10,000.",
        },
        Parameter {
            name: "keys",
            kind: ParameterKind::Choice(&["user", "url", "uuid"]),
            default: "user",
            smoke: None,
            about: "What keys look like: user:000001, addresses of 76 bytes, or identifiers that count up.",
        },
        THREADS,
    ],
};

impl Scenario for Lookup {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let nodes = params.count("nodes");
        if !(1..=NODES_MAX).contains(&nodes) {
            return Err(ParamError::Conflict {
                because: format!("nodes={nodes}: there are 1 to {NODES_MAX} of them"),
            });
        }
        worker_plan(params, params.count("threads"))
    }

    fn workload(&self, params: &Params, seed: u64) -> Option<Workload> {
        Some(Workload {
            threads: params.count("threads"),
            batch: BATCH,
            seed,
            task: Task::Ring(RingTask {
                nodes: params.count("nodes"),
                keys: key_form(params),
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
