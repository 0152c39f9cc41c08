//! The gate as blocks for a terminal.

use ringside_contract::{GateReport, GateRow, MetricChange};

use super::remarks::remarks;
use super::words::{headline, leading, metric_words, slowdown, threshold, verdict_look};
use crate::format::{NONE, grouped};
use crate::summary::{Block, Column, number, text};

/// The overall verdict, a row for each comparison, and beneath them reasons, remedies, counted figures that
/// are not the same, differences of the builds and warnings. Pure, like [`crate::page()`].
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
