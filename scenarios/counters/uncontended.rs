//! A counter that one thread has for itself.

use ringside_contract::ScenarioMeta;

use super::task::{CounterScenario, READS};
use crate::workers::THREADS;

/// `counters/uncontended`.
pub(crate) const UNCONTENDED: CounterScenario = CounterScenario(&ScenarioMeta {
    id: "counters/uncontended",
    question: "What does it cost to count when nobody else does?",
    operations: "operations",
    ranked_by: "throughput",
    parameters: &[THREADS, READS],
});
