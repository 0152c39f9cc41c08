//! A counter that one thread has for itself.

use ringside_contract::ScenarioMeta;

use super::task::{CounterScenario, READS};

/// `counters/uncontended`.
pub(crate) const UNCONTENDED: CounterScenario = CounterScenario {
    meta: &ScenarioMeta {
        id: "counters/uncontended",
        question: "What does it cost to count when nobody else does?",
        operations: "operations",
        ranked_by: "throughput",
        parameters: &[READS],
    },
    threads: |_| 1,
};
