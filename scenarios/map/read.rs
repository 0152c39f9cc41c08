//! Look-ups alone.

use ringside_contract::{Parameter, ParameterKind, ScenarioMeta};

use super::task::{ENTRIES, KEYS, MapScenario};
use crate::workers::THREADS;

/// `map/read`.
pub(crate) const READ: MapScenario = MapScenario {
    meta: &ScenarioMeta {
        id: "map/read",
        question: "How long does a look-up in a shared map take?",
        operations: "look-ups",
        ranked_by: "throughput",
        parameters: &[
            THREADS,
            ENTRIES,
            KEYS,
            Parameter {
                name: "chain",
                kind: ParameterKind::Choice(&["on", "off"]),
                default: "on",
                smoke: None,
                about: "on: a look-up begins when the one before has found its value, so that its time is how long it takes; \
                        off: a processor has several under way, so that it is how many there are in a second.",
            },
        ],
    },
    reads: |_| 100,
    chained: |params| params.text("chain") == "on",
};
