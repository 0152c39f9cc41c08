//! Look-ups alone.

use ringside_contract::ScenarioMeta;

use super::task::{ENTRIES, KEYS, MapScenario};
use crate::workers::THREADS;

/// `map/read`.
pub(crate) const READ: MapScenario = MapScenario {
    meta: &ScenarioMeta {
        id: "map/read",
        question: "How long does a look-up in a shared map take?",
        operations: "look-ups",
        ranked_by: "throughput",
        parameters: &[THREADS, ENTRIES, KEYS],
    },
    reads: |_| 100,
};
