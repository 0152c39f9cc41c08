//! One implementation with its default axes, for one thread: what others build upon.

use ringside_contract::operations::{InProcess, Prepared, Task, Workload};
use ringside_contract::{Settings, StartError};

/// Prepares the implementation of this id, which is one of `all`.
///
/// # Errors
/// There is none, or it refuses the task.
pub(crate) fn prepared(
    all: &[&'static dyn InProcess],
    id: &str,
    seed: u64,
    task: Task,
) -> Result<Box<dyn Prepared>, StartError> {
    let found = all.iter().find(|one| one.meta().id == id);
    let operation = found.ok_or_else(|| StartError::Unsupported {
        reason: format!("there is no {id}"),
    })?;
    let mut defaults = Settings::default();
    for axis in operation.meta().axes {
        defaults.set(axis.name, axis.default);
    }
    let workload = Workload {
        threads: 1,
        batch: 1,
        seed,
        task,
    };
    operation.prepare(&defaults, &workload)
}
