//! Writes to entries that are there: a value takes the place of another.

use ringside_contract::ScenarioMeta;

use super::task::{ENTRIES, KEYS, MapScenario};
use crate::workers::THREADS;

/// `map/write`.
pub(crate) const WRITE: MapScenario = MapScenario {
    meta: &ScenarioMeta {
        id: "map/write",
        question: "How many writes a second does a shared map take?",
        operations: "writes",
        ranked_by: "throughput",
        parameters: &[THREADS, ENTRIES, KEYS],
    },
    reads: |_| 0,
    chained: |_| false,
};
