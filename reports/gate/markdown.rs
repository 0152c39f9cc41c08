//! The gate as Markdown, for the summary of a CI job.

use ringside_contract::GateReport;

use super::remarks::remarks;
use super::table::{COLUMNS, COUNTED, COUNTED_COLUMNS, counted_rows, is_figure, rows, title};
use super::words::headline;
use crate::markdown::{inline, table};
use crate::printable::printable;

/// The overall verdict in a line, tables of the comparisons and of what was counted, and lists of what stands
/// beneath them. Pure, like
/// [`crate::page()`].
pub fn gate_markdown(report: &GateReport) -> String {
    let mut parts = vec![
        format!("## {}\n", inline(&title(report))),
        format!("**{}**\n", inline(&headline(report))),
    ];
    if !report.rows.is_empty() {
        parts.push(table(&COLUMNS, &rows(report)));
    }
    if report.counted.iter().any(is_figure) {
        parts.push(format!("### {COUNTED}\n"));
        parts.push(table(&COUNTED_COLUMNS, &counted_rows(report)));
    }
    for (heading, sentences) in remarks(report) {
        parts.push(list(heading, &sentences));
    }
    printable(&parts.join("\n")).into_owned()
}

/// A list under its heading. An item that begins with a sign such as `#` would be a heading, so that sign is
/// escaped.
fn list(heading: &str, sentences: &[String]) -> String {
    let mut text = format!("### {}\n\n", inline(heading));
    for sentence in sentences {
        let sentence = inline(sentence);
        let opens = sentence.starts_with(['#', '-', '+', '>', '~', '=']);
        let guard = if opens { "\\" } else { "" };
        text.push_str(&format!("- {guard}{sentence}\n"));
    }
    text
}
