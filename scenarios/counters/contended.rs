//! A counter that threads count with at the same time.

use ringside_contract::{Parameter, ScenarioMeta};

use super::task::{CounterScenario, READS};
use crate::workers::THREADS;

/// `counters/contended`.
pub(crate) const CONTENDED: CounterScenario = CounterScenario {
    meta: &ScenarioMeta {
        id: "counters/contended",
        question: "How much is counted in a second when threads share a counter?",
        operations: "operations",
        ranked_by: "throughput",
        parameters: &[
            Parameter {
                default: "2",
                ..THREADS
            },
            READS,
        ],
    },
    threads: |params| params.count("threads"),
};
