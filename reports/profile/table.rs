//! A profile as blocks for a terminal.

use ringside_contract::{Profile, ProfileDifference, ProfileReport};

use super::words::{NO_VERDICT, heads, slowdown_words, title, value};
use crate::format::{grouped, percent};
use crate::summary::{Block, number, text};

/// Functions of each profile in a terminal; the page has more.
const FUNCTIONS: usize = 6;

/// What each profiler found, what it cost, and what changed. Pure, like [`crate::page()`].
pub fn profile_table(report: &ProfileReport) -> Vec<Block> {
    let mut blocks = vec![
        heading(1, title(report)),
        Block::Sentences(vec![NO_VERDICT.to_owned()]),
    ];
    for profile in &report.profiles {
        blocks.extend(one(report, profile));
    }
    for difference in &report.differences {
        blocks.extend(change(report, difference));
    }
    if !report.warnings.is_empty() {
        blocks.push(heading(2, "Warnings".to_owned()));
        blocks.push(Block::Sentences(report.warnings.clone()));
    }
    blocks
}

fn one(report: &ProfileReport, profile: &Profile) -> Vec<Block> {
    let name = report
        .subjects
        .get(profile.subject)
        .map_or("", |subject| &subject.name);
    let mut sentences = Vec::new();
    if let Some(slowdown) = &profile.slowdown {
        let words = slowdown_words(slowdown, report.side);
        sentences.push(format!("{}: {words}", profile.profiler));
    }
    sentences.extend(profile.remarks.iter().cloned());
    let total = grouped(profile.total);
    let mut blocks = vec![heading(
        2,
        format!("{} of {name}, {total} {}", profile.profiler, profile.unit),
    )];
    if !sentences.is_empty() {
        blocks.push(Block::Sentences(sentences));
    }
    let [what, value_head] = heads(profile);
    let figures = profile.figures.iter().take(FUNCTIONS);
    blocks.push(Block::Table {
        columns: vec![text(what), number(value_head)],
        rows: figures
            .map(|figure| vec![figure.name.clone(), value(figure)])
            .collect(),
    });
    blocks
}

fn change(report: &ProfileReport, difference: &ProfileDifference) -> [Block; 2] {
    let name = |index: usize| report.subjects.get(index).map_or("", |one| &*one.name);
    let changes = difference.changes.iter().take(FUNCTIONS);
    let rows = changes.map(|change| {
        vec![
            change.function.clone(),
            percent(change.before),
            percent(change.after),
        ]
    });
    let title = format!("{} from {} to {}", difference.profiler, name(1), name(0));
    [
        heading(2, title),
        Block::Table {
            columns: vec![text("function"), number("before"), number("after")],
            rows: rows.collect(),
        },
    ]
}

const fn heading(level: u8, text: String) -> Block {
    Block::Heading { level, text }
}
