//! What stands beneath the table of a gate: reasons, remedies, counted figures, builds, warnings.

use ringside_contract::{
    CountedChange, CountedState, GateReport, GateRow, GateVerdict, MetricChange,
};

use super::words::{closed, counted_look, counts, metric_words, slowdown};

/// A heading with its sentences; those without sentences are left out.
pub(super) fn remarks(report: &GateReport) -> Vec<(&'static str, Vec<String>)> {
    let rows = || report.rows.iter();
    let changed = report.counted.iter();
    let changed = changed.filter(|change| change.state != CountedState::Same);
    let differences = report.differences.iter();
    let warnings = report.warnings.iter();
    let all = [
        ("Not decided", rows().filter_map(reason).collect()),
        ("Second measurement", rows().flat_map(confirming).collect()),
        ("Left out", rows().flat_map(left_out).collect()),
        ("Counted", changed.map(counted_sentence).collect()),
        (
            "Differences of the builds",
            differences.map(|text| closed(text)).collect(),
        ),
        ("Warnings", warnings.map(|text| closed(text)).collect()),
    ];
    let said = |(_, sentences): &(_, Vec<String>)| !sentences.is_empty();
    all.into_iter().filter(said).collect()
}

/// Which comparison a row is.
pub(super) fn name(row: &GateRow) -> String {
    format!("{} in {}", row.implementation, row.scenario)
}

fn reason(row: &GateRow) -> Option<String> {
    let name = name(row);
    match &row.verdict {
        GateVerdict::Undecided { because, remedy } => Some(format!(
            "Undecided: {name}: {} What would decide it: {}",
            closed(because),
            closed(remedy)
        )),
        GateVerdict::New { because } => Some(format!("New: {name}: {}", closed(because))),
        GateVerdict::Regression | GateVerdict::Pass => None,
    }
}

fn confirming(row: &GateRow) -> Vec<String> {
    let said = |change: &MetricChange| {
        let metric = metric_words(&change.metric);
        format!("{}, {metric}: {}.", name(row), slowdown(&change.slowdown))
    };
    row.confirming.iter().map(said).collect()
}

fn left_out(row: &GateRow) -> Vec<String> {
    let said = |change: &MetricChange| {
        let because = change.left_out.as_ref()?;
        let metric = metric_words(&change.metric);
        Some(format!(
            "{}, {metric}: {}; left out: {}",
            name(row),
            slowdown(&change.slowdown),
            closed(because)
        ))
    };
    row.changes.iter().filter_map(said).collect()
}

fn counted_sentence(change: &CountedChange) -> String {
    let (_, sign, word) = counted_look(&change.state);
    let counts = counts(change);
    let separator = if counts.is_empty() { "" } else { ", " };
    let because = match &change.state {
        CountedState::NotCounted { because } => format!(" {}", closed(because)),
        _ => String::new(),
    };
    format!(
        "{sign} {word}: {} of {}{separator}{counts}.{because}",
        change.metric, change.name
    )
}
