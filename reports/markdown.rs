//! A short summary in Markdown, for a terminal or the summary of a CI job.

use std::fmt::Write as _;

use ringside_contract::{Judgement, RankedCell, Role, Verdict, Verdicts};

use crate::format::{figure, grouped, percent, times_finely};
use crate::lead::Lead;
use crate::sections::summary_sentences;
use crate::view::{Tally, claim_unit, documented, goals, metric_words, own_words, verdict_look};

/// Headline, counts, the judged claims, this project's goals, the best implementation of each scenario and
/// what the run can tell apart. Pure, like
/// [`crate::page()`].
pub fn markdown(verdicts: &Verdicts) -> String {
    let mut text = format!("## Ringside: run {}\n\n", cell(&verdicts.run.run));
    for sentence in summary_sentences(verdicts) {
        text.push_str(&inline(&sentence));
        text.push('\n');
    }
    counts(&mut text, verdicts);
    judged_claims(&mut text, "claim", documented(verdicts));
    if goals(verdicts).any(is_judged) {
        text.push_str("\n### This project's own goals\n");
        judged_claims(&mut text, "goal", goals(verdicts));
    }
    best(&mut text, verdicts);
    controls(&mut text, verdicts);
    text
}

fn counts(text: &mut String, verdicts: &Verdicts) {
    let tally = Tally::of(documented(verdicts), |role| role == Role::Promise);
    text.push_str("\n| promises | |\n|---|--:|\n");
    for (word, count) in [
        ("met", tally.met),
        ("missed", tally.missed),
        ("undecided", tally.undecided),
        ("disqualified", tally.disqualified),
        ("not here", tally.not_here),
        ("not run", tally.not_run),
    ] {
        row(text, &[word, &grouped(count as u64)]);
    }
}

fn is_judged(judgement: &Judgement) -> bool {
    !matches!(
        judgement.verdict,
        Verdict::NotRun { .. } | Verdict::NotHere { .. }
    )
}

fn judged_claims<'a>(
    text: &mut String,
    what: &str,
    judgements: impl Iterator<Item = &'a Judgement>,
) {
    let judged: Vec<_> = judgements
        .filter(|judgement| is_judged(judgement))
        .collect();
    if judged.is_empty() {
        return;
    }
    text.push('\n');
    row(text, &["verdict", what, "measured", "statement"]);
    text.push_str("|---|---|---|---|\n");
    for judgement in judged {
        let claim = &judgement.claim;
        let measured = judgement
            .measured
            .as_ref()
            .map(|interval| figure(interval, claim_unit(claim)));
        let measured = measured.map_or_else(String::new, |f| format!("{} ({})", f.point, f.range));
        let measured = match &judgement.verdict {
            Verdict::Undecided { because } | Verdict::Disqualified { because } => {
                let separator = if measured.is_empty() { "" } else { "; " };
                format!("{measured}{separator}{because}")
            }
            _ => measured,
        };
        let (_, sign) = verdict_look(&judgement.verdict);
        let verdict = format!("{sign} {}", judgement.verdict.word(claim.role));
        row(text, &[&verdict, &claim.id, &measured, &claim.statement]);
    }
}

fn best(text: &mut String, verdicts: &Verdicts) {
    if verdicts.rankings.is_empty() {
        return;
    }
    text.push_str("\n| scenario | by | best | figure | level with it |\n|---|---|---|---|---|\n");
    for ranking in &verdicts.rankings {
        let scenario = ranking.scenario.to_string();
        let metric = metric_words(&ranking.metric);
        let names = |cells: &[&RankedCell]| {
            let names: Vec<_> = cells
                .iter()
                .map(|cell| cell.implementation.to_string())
                .collect();
            names.join(", ")
        };
        let (best, own, level) = match Lead::of(ranking) {
            Lead::Clear { first, level } => (
                first.implementation.to_string(),
                own_words(first, &ranking.unit).unwrap_or_default(),
                names(&level),
            ),
            Lead::Open(cells) => {
                let text = format!("no clear best: {} not told apart", names(&cells));
                (text, String::new(), String::new())
            }
            Lead::TooFewRounds(because) => (because.to_owned(), String::new(), String::new()),
            Lead::Nothing => ("none usable".to_owned(), String::new(), String::new()),
        };
        row(text, &[&scenario, &metric, &best, &own, &level]);
    }
}

/// Implementations against themselves: what this run can tell apart, and how sure its intervals are.
fn controls(text: &mut String, verdicts: &Verdicts) {
    if verdicts.controls.is_empty() {
        return;
    }
    text.push_str("\n### An implementation against itself\n\n");
    row(
        text,
        &[
            "twice",
            "by",
            "interval of the ratio",
            "holds 1",
            "width",
            "pairs",
            "resampled, holds 1 in",
        ],
    );
    text.push_str("|---|---|---|---|--:|--:|---|\n");
    for control in &verdicts.controls {
        let coverage = control.coverage.map_or_else(
            || "too few pairs".to_owned(),
            |held| format!("{held:.1} of 100 trials"),
        );
        row(
            text,
            &[
                &format!("{} in {}", control.implementation, control.scenario),
                &metric_words(&control.metric),
                &times_finely(&control.ratio),
                if control.holds_one() { "yes" } else { "no" },
                &percent(control.width()),
                &grouped(u64::from(control.ratio.samples)),
                &coverage,
            ],
        );
    }
}

fn row(text: &mut String, cells: &[&str]) {
    for content in cells {
        // Writing to a String cannot fail.
        let _ = write!(text, "| {} ", cell(content));
    }
    text.push_str("|\n");
}

/// Text that stays within its cell.
fn cell(text: &str) -> String {
    inline(text).replace('|', "\\|")
}

/// Text that stays on its line and is neither markup nor HTML.
fn inline(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => safe.push(' '),
            '<' => safe.push_str("&lt;"),
            '&' => safe.push_str("&amp;"),
            '`' | '*' | '_' | '\\' => {
                safe.push('\\');
                safe.push(character);
            }
            '[' | ']' => {
                safe.push('\\');
                safe.push(character);
            }
            _ => safe.push(character),
        }
    }
    safe
}
