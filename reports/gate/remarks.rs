//! What stands beneath the table of a gate: reasons, remedies, what was not counted, builds, warnings.

use ringside_contract::{
    CountedChange, CountedState, GateReport, GateRow, GateVerdict, MetricChange,
};

use super::words::{closed, counted_look, metric_words, slowdown};

/// A heading with its sentences; those without sentences are left out.
pub(super) fn remarks(report: &GateReport) -> Vec<(&'static str, Vec<String>)> {
    let rows = || report.rows.iter();
    let differences = report.differences.iter();
    let warnings = report.warnings.iter();
    let all = [
        ("Not decided", rows().filter_map(reason).collect()),
        ("Second measurement", rows().flat_map(confirming).collect()),
        ("Flame graphs", rows().flat_map(graphs).collect()),
        ("Left out", rows().flat_map(left_out).collect()),
        (
            "Not counted",
            report.counted.iter().filter_map(not_counted).collect(),
        ),
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

fn graphs(row: &GateRow) -> Vec<String> {
    let said = |graph: &String| format!("{}: {graph}", name(row));
    row.graphs.iter().map(said).collect()
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

fn not_counted(change: &CountedChange) -> Option<String> {
    let CountedState::NotCounted { because } = &change.state else {
        return None;
    };
    let (_, sign, word) = counted_look(&change.state);
    let CountedChange { name, metric, .. } = change;
    Some(format!(
        "{sign} {word}: {metric} of {name}: {}",
        closed(because)
    ))
}
