//! What each triple said of each head, as CSV: all that trials are formed of, in a hundredth of the space that the
//! turns take. That is what can be published.

use std::fmt::Write;

use ringside_contract::TripleRecord;
use ringside_judge::{MetricEffect, effect};

use super::recording::About;

/// Above the lines of all recordings. Slowdowns are natural logarithms, positive where head is slower than base; those
/// of `again` are of base against itself. `decides` says whether the figure has a say.
pub(super) const HEAD: &str = "case,condition,head,planted_percent,triple,rate,rate_again,rate_decides,\
                               processor_time,processor_time_again,processor_time_decides\n";

/// A line for each triple and head; a triple that says nothing has none.
pub(super) fn lines(about: &About, records: &[TripleRecord]) -> String {
    let mut lines = String::new();
    for head in &about.heads {
        for record in records {
            let Ok(effect) = effect(record, &head.label, &about.placement) else {
                continue;
            };
            // Writing into a string does not fail.
            let _ = writeln!(
                lines,
                "{},{},{},{},{},{},{}",
                about.case,
                about.condition,
                head.label,
                head.percent,
                record.number,
                figures(&effect.rate),
                figures(&effect.processor_time),
            );
        }
    }
    lines
}

/// Five digits are a thousandth of a per cent.
fn figures(metric: &MetricEffect) -> String {
    format!(
        "{:.5},{:.5},{}",
        metric.slowdown,
        metric.again,
        metric.left_out.is_none()
    )
}
