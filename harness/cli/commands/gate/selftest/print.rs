//! The outcome of a self-test for people and for programs.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use super::goals::{Goal, State, goals};
use super::summary::{HeadSummary, Trials};
use crate::args::Format;
use crate::files::write_whole;
use crate::output::Output;

/// All of it, as JSON.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    heads: &'a [HeadSummary],
    goals: Vec<Goal>,
}

/// Writes `selftest.json` into `out`.
pub(super) fn write(out: &Path, all: &[HeadSummary]) -> anyhow::Result<()> {
    let outcome = Outcome {
        heads: all,
        goals: goals(all),
    };
    std::fs::create_dir_all(out).with_context(|| format!("failed to create {}", out.display()))?;
    write_whole(
        &out.join("selftest.json"),
        &serde_json::to_vec_pretty(&outcome)?,
    )
}

/// Prints a row for each head, and the goals.
pub(super) fn print(all: &[HeadSummary], output: &Output) -> anyhow::Result<()> {
    let goals = goals(all);
    if output.format == Format::Json {
        return output.json(&Outcome { heads: all, goals });
    }
    let rows: Vec<Vec<String>> = all.iter().map(row).collect();
    let heads = [
        "case",
        "condition",
        "planted",
        "measured",
        "spread",
        "triples",
        "trials: slower / pass / undecided",
        "slower (95 % bounds)",
        "drawn again",
    ];
    output.table(&heads, &rows);
    output.line("");
    let rows: Vec<Vec<String>> = goals.iter().map(goal_row).collect();
    output.table(
        &["asked", "slower in", "share (95 % bounds)", "state"],
        &rows,
    );
    for one in all {
        if let Some(first) = one.lost.first() {
            output.note(&format!(
                "{} {} {}: {} triples say nothing, of the first: {first}",
                one.case,
                one.condition,
                one.head,
                one.lost.len()
            ));
        }
    }
    Ok(())
}

fn row(one: &HeadSummary) -> Vec<String> {
    let measured = one.slowdown.map_or_else(
        || "no figure decides".to_owned(),
        |interval| {
            format!(
                "{:.2} % ({:.2} to {:.2}), {}",
                interval.point * 100.0,
                interval.low * 100.0,
                interval.high * 100.0,
                one.decided_by
            )
        },
    );
    let Trials {
        regressions,
        passes,
        undecided,
        ..
    } = one.trials;
    vec![
        one.case.clone(),
        one.condition.clone(),
        format!("{} % ({})", one.planted, one.head),
        measured,
        format!("{:.2} %", one.spread * 100.0),
        one.triples.to_string(),
        format!("{regressions} / {passes} / {undecided}"),
        share(&one.trials),
        format!("{:.1} %", percent(&one.resampled)),
    ]
}

fn goal_row(goal: &Goal) -> Vec<String> {
    let state = match goal.state {
        State::Met => "met",
        State::TooFew => "holds, too few trials",
        State::Missed => "missed",
    };
    vec![
        goal.asked.clone(),
        format!("{} of {}", goal.trials.regressions, goal.trials.trials),
        share(&goal.trials),
        state.to_owned(),
    ]
}

fn share(trials: &Trials) -> String {
    format!(
        "{:.1} % ({:.1} to {:.1})",
        percent(trials),
        trials.low * 100.0,
        trials.high * 100.0
    )
}

fn percent(trials: &Trials) -> f64 {
    trials.regressions as f64 * 100.0 / trials.trials.max(1) as f64
}
