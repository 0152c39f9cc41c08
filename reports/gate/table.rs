//! The gate as blocks for a terminal.

use ringside_contract::{CountedChange, CountedState, GateReport, GateRow, MetricChange};

use super::remarks::remarks;
use super::words::{
    counted_look, counts, headline, leading, metric_words, slowdown, threshold, verdict_look,
};
use crate::format::{NONE, grouped};
use crate::summary::{Block, Column, number, text};

/// The overall verdict, a row for each comparison and each counted figure, and beneath them reasons, remedies,
/// what could not be counted, differences of the builds and warnings. Pure, like [`crate::page()`].
pub fn gate_table(report: &GateReport) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading {
            level: 1,
            text: title(report),
        },
        Block::Sentences(vec![headline(report)]),
    ];
    if !report.rows.is_empty() {
        blocks.push(Block::Table {
            columns: COLUMNS.to_vec(),
            rows: rows(report),
        });
    }
    if report.counted.iter().any(is_figure) {
        blocks.push(Block::Heading {
            level: 2,
            text: COUNTED.to_owned(),
        });
        blocks.push(Block::Table {
            columns: COUNTED_COLUMNS.to_vec(),
            rows: counted_rows(report),
        });
    }
    for (text, sentences) in remarks(report) {
        blocks.push(Block::Heading {
            level: 2,
            text: text.to_owned(),
        });
        blocks.push(Block::Sentences(sentences));
    }
    blocks
}

/// What was compared with what.
pub(super) fn title(report: &GateReport) -> String {
    format!(
        "Ringside gate: {} against {}",
        report.head.name, report.base.name
    )
}

/// The columns of [`rows`].
pub(super) const COLUMNS: [Column; 5] = [
    text("scenario"),
    text("implementation"),
    text("slowdown"),
    number("triples"),
    text("verdict"),
];

/// A row for each comparison, told by its leading figure.
pub(super) fn rows(report: &GateReport) -> Vec<Vec<String>> {
    report.rows.iter().map(cells).collect()
}

/// What stands over [`counted_rows`].
pub(super) const COUNTED: &str = "Counted";

/// The columns of [`counted_rows`].
pub(super) const COUNTED_COLUMNS: [Column; 4] = [
    text("of"),
    text("what"),
    text("base → head"),
    text("verdict"),
];

/// Whether it was counted at all. Why it was not takes a sentence, which the remarks have.
pub(super) fn is_figure(change: &CountedChange) -> bool {
    !matches!(change.state, CountedState::NotCounted { .. })
}

/// A row for each counted figure.
pub(super) fn counted_rows(report: &GateReport) -> Vec<Vec<String>> {
    let figures = report.counted.iter().filter(|change| is_figure(change));
    figures
        .map(|change| {
            let (_, sign, word) = counted_look(&change.state);
            vec![
                change.name.clone(),
                change.metric.clone(),
                counts(change),
                format!("{sign} {word}"),
            ]
        })
        .collect()
}

fn cells(row: &GateRow) -> Vec<String> {
    let (_, sign, word) = verdict_look(&row.verdict);
    let leading = leading(&row.changes);
    vec![
        row.scenario.to_string(),
        row.implementation.to_string(),
        leading.map_or_else(|| NONE.to_owned(), |change| figure(row, change)),
        leading.map_or_else(|| NONE.to_owned(), |change| triples(row, change)),
        format!("{sign} {word}"),
    ]
}

fn figure(row: &GateRow, change: &MetricChange) -> String {
    format!(
        "{} ({}; threshold {})",
        slowdown(&change.slowdown),
        metric_words(&change.metric),
        threshold(row)
    )
}

/// The triples behind a figure, and those of the second measurement of the same metric.
fn triples(row: &GateRow, change: &MetricChange) -> String {
    let of = |change: &MetricChange| grouped(u64::from(change.slowdown.samples));
    let mut again = row.confirming.iter();
    match again.find(|other| other.metric == change.metric) {
        Some(again) => format!("{} + {}", of(change), of(again)),
        None => of(change),
    }
}
