//! Why a cell's figure says less than it seems to.

use ringside_contract::{ImplementationSpec, RunRecord};

use crate::index::{Cell, Index};
use crate::metrics::{Metric, MetricClass};
use crate::neighbours::disturbed;

/// Why the figure of one implementation among `records` cannot be compared with another's by this
/// metric: wrong answers, failed rounds, a generator that was the limit, a server that was not saturated
/// where processor time is compared, or one that did not keep up with an offered rate. `None` when
/// nothing is against it. `replica` is 1 for the second copy of an implementation compared with itself.
pub fn doubt(
    records: &[RunRecord],
    implementation: &ImplementationSpec,
    replica: u8,
    metric: &Metric,
) -> Option<String> {
    let index = Index::new(records, None);
    let cell = index
        .cells
        .iter()
        .find(|cell| cell.implementation == implementation && cell.replica == replica)?;
    cell.invalid()
        .or_else(|| disturbed(cell, metric))
        .or_else(|| only_a_bound(cell, metric))
}

/// Why the cell has no figure of this metric that can be used.
pub(crate) fn unfit(cell: &Cell<'_>, metric: &Metric) -> Option<String> {
    let because = match metric.name {
        "error_rate" => cell.invalid_besides_errors(),
        // That sends were late is what the figure says.
        "late_share" => cell.failed(),
        // So many connections were open, and so much memory was taken, whenever it was looked at.
        "connections" => cell.invalid_besides_pace(),
        name if name.contains("memory") => cell.invalid_besides_pace(),
        _ => cell.invalid(),
    };
    because.or_else(|| disturbed(cell, metric))
}

/// Why the cell may be better than its figure: its generator could offer no more, or its server was
/// not saturated, and processor time an operation falls as a server fills up.
pub(crate) fn only_a_bound(cell: &Cell<'_>, metric: &Metric) -> Option<String> {
    match metric.class {
        MetricClass::Rate | MetricClass::Latency => cell.generator_limited().then(|| {
            format!(
                "the generator was the limit: its {} is only a bound",
                metric.name
            )
        }),
        MetricClass::Processor => (cell.load() == "closed" && !cell.saturated()).then(|| {
            "the server was not saturated: it may need less processor time under full load"
                .to_owned()
        }),
        MetricClass::Other => None,
    }
}
