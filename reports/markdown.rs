//! The summary in Markdown, for the summary of a CI job.

use std::fmt::Write as _;

use ringside_contract::Verdicts;

use crate::printable::printable;
use crate::summary::{Block, Column, summary};

/// [`summary`] as Markdown. Pure, like [`crate::page()`].
pub fn markdown(verdicts: &Verdicts) -> String {
    let blocks: Vec<String> = summary(verdicts).iter().map(block).collect();
    printable(&blocks.join("\n")).into_owned()
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading { level, text } => {
            format!("{} {}\n", "#".repeat(usize::from(*level) + 1), inline(text))
        }
        Block::Sentences(sentences) => sentences
            .iter()
            .map(|sentence| inline(sentence) + "\n")
            .collect(),
        Block::Table { columns, rows } => table(columns, rows),
    }
}

/// A table with its rule under the heads.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>]) -> String {
    let mut text = row(columns.iter().map(|column| column.head));
    text.push('|');
    for column in columns {
        text.push_str(if column.number { "--:|" } else { "---|" });
    }
    text.push('\n');
    for cells in rows {
        text.push_str(&row(cells.iter().map(String::as_str)));
    }
    text
}

fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for content in cells {
        // Writing to a String cannot fail.
        let _ = write!(text, "| {} ", inline(content).replace('|', "\\|"));
    }
    text.push_str("|\n");
    text
}

/// Text that stays on its line and is neither markup nor HTML.
pub(crate) fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '`' | '*' | '_' | '\\' | '[' | ']' => {
                safe.push('\\');
                safe.push(character);
            }
            _ => safe.push(character),
        }
    }
    safe
}
