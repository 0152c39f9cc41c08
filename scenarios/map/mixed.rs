//! Look-ups among which some write.

use ringside_contract::{Parameter, ParameterKind, ScenarioMeta};

use super::task::{ENTRIES, KEYS, MapScenario};
use crate::workers::THREADS;

/// `map/mixed`.
pub(crate) const MIXED: MapScenario = MapScenario {
    meta: &ScenarioMeta {
        id: "map/mixed",
        question: "How many operations a second does a shared map take when some of them write?",
        operations: "operations",
        ranked_by: "throughput",
        parameters: &[
            THREADS,
            ENTRIES,
            KEYS,
            Parameter {
                name: "reads",
                kind: ParameterKind::Choice(&["50", "90", "99"]),
                default: "90",
                smoke: None,
                about: "Of 100 operations so many read; the others write.",
            },
        ],
    },
    reads: |params| params.text("reads").parse().unwrap_or_default(),
    chained: |_| false,
};
