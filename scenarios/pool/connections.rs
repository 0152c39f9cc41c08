//! Connections that are lent and given back.

use ringside_contract::operations::pool::PoolTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use crate::workers::{NoConversation, THREADS, verify_worker, worker_plan};

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// More than a pool of one service has.
const CONNECTIONS_MAX: u32 = 100_000;

/// `pool/connections`.
pub(crate) struct Connections;

const META: ScenarioMeta = ScenarioMeta {
    id: "pool/connections",
    question: "How long does it take to lend a connection and to give it back?",
    operations: "loans",
    ranked_by: "throughput",
    parameters: &[
        Parameter {
            default: "2",
            ..THREADS
        },
        Parameter {
            name: "most",
            kind: ParameterKind::Count,
            default: "1000",
            smoke: None,
            about: "Connections that there are at most.",
        },
        Parameter {
            name: "operations",
            kind: ParameterKind::Count,
            default: "100000",
            smoke: None,
            about: "So many operations are what the time `elapsed` is of.",
        },
    ],
};

impl Scenario for Connections {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let (most, threads) = (params.count("most"), params.count("threads"));
        if most < threads || most > CONNECTIONS_MAX {
            return Err(ParamError::Conflict {
                because: format!(
                    "most={most}: at least one for each of {threads} threads, and at most {CONNECTIONS_MAX}"
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
            task: Task::Pool(PoolTask::Connections {
                most: params.count("most"),
                elapsed_operations: params.count("operations"),
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
