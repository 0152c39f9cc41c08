//! The short summary of a run, as blocks that a terminal and a Markdown writer render each in its way.

use ringside_contract::{Judgement, RankedCell, Role, Verdict, Verdicts};

use crate::format::{figure, grouped, percent, times_finely};
use crate::lead::Lead;
use crate::sections::summary_sentences;
use crate::view::{Tally, claim_unit, documented, goals, metric_words, own_words, verdict_look};

/// A part of the summary. All text is plain; a renderer escapes what its form needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading; level 1 is the title of the whole.
    Heading {
        /// 1 or 2.
        level: u8,
        /// Its words.
        text: String,
    },
    /// Sentences, a line each.
    Sentences(Vec<String>),
    /// A table.
    Table {
        /// The heads of its columns.
        columns: Vec<Column>,
        /// Its rows, as wide as there are columns.
        rows: Vec<Vec<String>>,
    },
}

/// A column of a [`Block::Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its head; may be empty.
    pub head: &'static str,
    /// True for numbers, which stand at its right edge.
    pub number: bool,
}

/// A column of words.
pub(crate) const fn text(head: &'static str) -> Column {
    Column {
        head,
        number: false,
    }
}

/// A column of numbers.
pub(crate) const fn number(head: &'static str) -> Column {
    Column { head, number: true }
}

/// Headline, counts, the judged claims, this project's goals, the best implementation of each scenario and
/// what the run can tell apart. Pure, like [`crate::page()`].
pub fn summary(verdicts: &Verdicts) -> Vec<Block> {
    let heading = |level, text: String| Block::Heading { level, text };
    let mut blocks = vec![
        heading(1, format!("Ringside: run {}", verdicts.run.run)),
        Block::Sentences(summary_sentences(verdicts)),
        counts(verdicts),
    ];
    blocks.extend(judged("claim", documented(verdicts)));
    if let Some(table) = judged("goal", goals(verdicts)) {
        blocks.push(heading(2, "This project's own goals".to_owned()));
        blocks.push(table);
    }
    blocks.extend(best(verdicts));
    if let Some(table) = controls(verdicts) {
        blocks.push(heading(2, "An implementation against itself".to_owned()));
        blocks.push(table);
    }
    blocks
}

fn counts(verdicts: &Verdicts) -> Block {
    let tally = Tally::of(documented(verdicts), |role| role == Role::Promise);
    let counts = [
        ("met", tally.met),
        ("missed", tally.missed),
        ("undecided", tally.undecided),
        ("disqualified", tally.disqualified),
        ("not here", tally.not_here),
        ("not run", tally.not_run),
    ];
    Block::Table {
        columns: vec![text("promises"), number("")],
        rows: counts
            .map(|(word, count)| vec![word.to_owned(), grouped(count as u64)])
            .to_vec(),
    }
}

fn is_judged(judgement: &&Judgement) -> bool {
    !matches!(
        judgement.verdict,
        Verdict::NotRun { .. } | Verdict::NotHere { .. }
    )
}

/// The judged ones; `None` when there are none.
fn judged<'a>(
    what: &'static str,
    judgements: impl Iterator<Item = &'a Judgement>,
) -> Option<Block> {
    let rows: Vec<_> = judgements.filter(is_judged).map(judged_row).collect();
    (!rows.is_empty()).then(|| Block::Table {
        columns: ["verdict", what, "measured", "statement"]
            .map(text)
            .to_vec(),
        rows,
    })
}

/// As much of a reason as a line has room for. The report has all of it.
fn shortened(because: &str) -> String {
    const MOST: usize = 160;
    match because.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", because[..end].trim_end()),
        None => because.to_owned(),
    }
}

fn judged_row(judgement: &Judgement) -> Vec<String> {
    let claim = &judgement.claim;
    let measured = judgement
        .measured
        .as_ref()
        .map(|interval| figure(interval, claim_unit(claim)));
    let measured = measured.map_or_else(String::new, |f| format!("{} ({})", f.point, f.range));
    let measured = match &judgement.verdict {
        Verdict::Undecided { because } | Verdict::Disqualified { because } => {
            let separator = if measured.is_empty() { "" } else { "; " };
            format!("{measured}{separator}{}", shortened(because))
        }
        _ => measured,
    };
    let (_, sign) = verdict_look(&judgement.verdict);
    let verdict = format!("{sign} {}", judgement.verdict.word(claim.role));
    vec![verdict, claim.id.clone(), measured, claim.statement.clone()]
}

/// Who leads each scenario.
fn best(verdicts: &Verdicts) -> Option<Block> {
    let rows: Vec<_> = verdicts
        .rankings
        .iter()
        .map(|ranking| {
            let [best, own, level] = led(&Lead::of(ranking), &ranking.unit);
            let scenario = ranking.scenario.to_string();
            vec![scenario, metric_words(&ranking.metric), best, own, level]
        })
        .collect();
    (!rows.is_empty()).then(|| Block::Table {
        columns: ["scenario", "by", "best", "figure", "level with it"]
            .map(text)
            .to_vec(),
        rows,
    })
}

/// The best, its figure, and what is level with it.
fn led(lead: &Lead<'_>, unit: &str) -> [String; 3] {
    let names = |cells: &[&RankedCell]| {
        let names: Vec<_> = cells
            .iter()
            .map(|cell| cell.implementation.to_string())
            .collect();
        names.join(", ")
    };
    let nobody = |why: String| [why, String::new(), String::new()];
    match lead {
        Lead::Clear { first, level } => [
            first.implementation.to_string(),
            own_words(first, unit).unwrap_or_default(),
            names(level),
        ],
        Lead::Open(cells) => nobody(format!("no clear best: {} not told apart", names(cells))),
        Lead::TooFewRounds(because) => nobody((*because).to_owned()),
        Lead::Nothing => nobody("none usable".to_owned()),
    }
}

/// Implementations against themselves: what this run can tell apart, and how sure its intervals are.
fn controls(verdicts: &Verdicts) -> Option<Block> {
    let rows: Vec<_> = verdicts
        .controls
        .iter()
        .map(|control| {
            let coverage = control.coverage.map_or_else(
                || "too few pairs".to_owned(),
                |held| format!("{held:.1} of 100 trials"),
            );
            vec![
                format!("{} in {}", control.implementation, control.scenario),
                metric_words(&control.metric),
                times_finely(&control.ratio),
                if control.holds_one() { "yes" } else { "no" }.to_owned(),
                percent(control.width()),
                grouped(u64::from(control.ratio.samples)),
                coverage,
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Block::Table {
        columns: vec![
            text("twice"),
            text("by"),
            text("interval of the ratio"),
            text("holds 1"),
            number("width"),
            number("pairs"),
            text("resampled, holds 1 in"),
        ],
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_end_where_a_line_has_no_more_room() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"ä".repeat(200));
        assert_eq!(long.chars().count(), 161);
        assert!(long.ends_with('…'));
    }
}
