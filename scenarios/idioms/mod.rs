//! Scenarios of small things that can be written in two ways.

pub(crate) mod escape;
pub(crate) mod fill;
pub(crate) mod pass;
pub(crate) mod share;
pub(crate) mod sum;

use ringside_contract::operations::idioms::IdiomTask;
use ringside_contract::operations::{Task, Workload};
use ringside_contract::{LoadPlan, ParamError, Params};

use crate::workers::worker_plan;

/// Operations between two looks at the clock.
const BATCH: u32 = 1000;

/// The most of any parameter.
const MOST: u64 = 1 << 20;

/// The load of one thread, where each of these parameters is from 1 to [`MOST`].
fn idiom_plan(params: &Params, limited: &[(&str, u64)]) -> Result<LoadPlan, ParamError> {
    let far = limited
        .iter()
        .find(|(_, value)| !(1..=MOST).contains(value));
    if let Some((name, value)) = far {
        return Err(ParamError::Conflict {
            because: format!("{name}={value}: expected from 1 to {MOST}"),
        });
    }
    worker_plan(params, 1)
}

fn idiom_workload(seed: u64, task: IdiomTask) -> Option<Workload> {
    Some(Workload {
        threads: 1,
        batch: BATCH,
        seed,
        task: Task::Idioms(task),
    })
}
