//! The top of the page: what was found, in sentences and in counts.

use std::collections::BTreeMap;

use maud::{Markup, html};
use ringside_contract::{Host, ImplementationSpec, Role, Verdicts};

use crate::format::{THIN, counted, date, grouped, span};
use crate::view::{Tally, documented, goals, grouped_by, leaders, too_few_rounds};

/// Title, summary, strip of counts.
pub(crate) fn headline(verdicts: &Verdicts) -> Markup {
    let run = &verdicts.run;
    html! {
        header {
            div.top {
                h1 { "Documented claims, measured" }
                (theme_switch())
            }
            p.meta {
                span { "run " code { (run.run) } }
                span { "plan " code { (run.plan) } }
                span { (date(run.began_at)) ", " (span(run.ended_at.saturating_sub(run.began_at))) }
                span { "commit " code { (run.build.commit) } }
                span { (counted(run.records as usize, "record", "records")) }
            }
            p.lead { @for sentence in summary_sentences(verdicts) { (sentence) " " } }
            (strip(verdicts))
        }
    }
}

/// The theme is a matter of style sheets alone (`:has(:checked)`), so that it works without scripts.
fn theme_switch() -> Markup {
    html! {
        fieldset.theme {
            legend.sr { "Colours of the page" }
            @for (id, word, checked) in [("auto", "Auto", true), ("light", "Light", false), ("dark", "Dark", false)] {
                label { input type="radio" name="theme" id={ "theme-" (id) } checked[checked]; span { (word) } }
            }
        }
    }
}

fn strip(verdicts: &Verdicts) -> Markup {
    let promises = Tally::of(documented(verdicts), |role| role == Role::Promise);
    let limits = Tally::of(documented(verdicts), |role| role == Role::Limit);
    let failed = verdicts
        .cells
        .iter()
        .filter(|cell| !cell.failures.is_empty())
        .count();
    let invalid = verdicts
        .cells
        .iter()
        .filter(|cell| cell.invalid.is_some())
        .count();
    html! {
        section.strip aria-label="Verdicts in numbers" {
            (tile("met", promises.met, "promises met", "the whole interval is on the promised side"))
            (tile("missed", promises.missed, "promises missed", "the whole interval is on the other side"))
            (tile("undecided", promises.undecided, "undecided", "measured, the interval does not decide"))
            (tile("nothere", promises.not_here, "not here", "this machine cannot decide them"))
            (tile("notrun", promises.not_run, "not run", "not in this plan, or not built yet"))
        }
        section.strip.minor aria-label="Limits and cells in numbers" {
            @if promises.disqualified > 0 {
                (tile("missed", promises.disqualified, "disqualified", "wrong answers: speed does not count"))
            }
            @if limits.judged() > 0 {
                (tile("plain", limits.met, &format!("of {} limits hold", limits.judged()), "what documents say others cannot do"))
            }
            (tile("missed", failed, "cells with errors", "a round failed; reasons are below"))
            (tile("undecided", invalid, "cells invalid", "measured, but not to be used"))
        }
    }
}

/// One count; a count of 0 has no colour, so that colours say where to look.
fn tile(class: &str, count: usize, what: &str, about: &str) -> Markup {
    let class = if count == 0 { "plain" } else { class };
    html! {
        div.tile.(class) {
            p.count { b { (grouped(count as u64)) } " " (what) }
            p.about { (about) }
        }
    }
}

/// What was found, one sentence each: the machine and the best implementations, the promises, the rest.
pub(crate) fn summary_sentences(verdicts: &Verdicts) -> Vec<String> {
    let machine = machine_words(&verdicts.run.host);
    let mut sentences = Vec::new();
    let families = grouped_by(verdicts.rankings.iter(), |ranking| {
        ranking.scenario.id.family.as_str()
    });
    let best: Vec<String> = families
        .iter()
        .filter_map(|(_, rankings)| {
            best_of(
                rankings
                    .iter()
                    .filter_map(|ranking| leaders(ranking))
                    .map(|leaders| {
                        let level = leaders
                            .level
                            .iter()
                            .map(|cell| &cell.implementation)
                            .collect();
                        (&leaders.first.implementation, level)
                    }),
            )
        })
        .collect();
    sentences.push(if nothing_decides(verdicts) {
        format!(
            "This run on {machine} has too few rounds to decide anything: its figures show that everything \
             works, not what is faster."
        )
    } else if best.is_empty() {
        format!("On this machine ({machine}) no implementation could be ranked.")
    } else {
        format!("On this machine ({machine}), {}.", best.join("; "))
    });
    let promises = Tally::of(documented(verdicts), |role| role == Role::Promise);
    let judged = promises.judged();
    sentences.push(if judged == 0 {
        "No documented promise was measured in this run.".to_owned()
    } else {
        let mut parts = vec![
            format!("{} met", are(promises.met)),
            format!("{} missed", are(promises.missed)),
            format!("{} undecided", are(promises.undecided)),
        ];
        if promises.disqualified > 0 {
            parts.push(format!("{} disqualified", are(promises.disqualified)));
        }
        let total = counted(judged, "documented promise", "documented promises");
        format!("Of {total} measured here, {}.", parts.join(", "))
    });
    let rest = promises.not_here + promises.not_run;
    if rest > 0 {
        sentences.push(format!(
            "{} could not be judged here or were not in this run.",
            grouped(rest as u64)
        ));
    }
    sentences.extend(goals_sentence(verdicts));
    sentences
}

/// How this project's own goals came out, when any of them was measured.
fn goals_sentence(verdicts: &Verdicts) -> Option<String> {
    let tally = Tally::of(goals(verdicts), |_| true);
    (tally.judged() > 0).then(|| {
        format!(
            "Of this project's own goals, {} met, {} missed, {} undecided.",
            are(tally.met),
            are(tally.missed),
            are(tally.undecided + tally.disqualified)
        )
    })
}

/// True when there is something to rank, and no ranking had rounds enough.
fn nothing_decides(verdicts: &Verdicts) -> bool {
    let rankings = &verdicts.rankings;
    rankings.iter().all(|ranking| leaders(ranking).is_none())
        && rankings
            .iter()
            .any(|ranking| too_few_rounds(ranking).is_some())
}

fn are(count: usize) -> String {
    format!(
        "{}{THIN}{}",
        grouped(count as u64),
        if count == 1 { "is" } else { "are" }
    )
}

/// Which implementation leads most scenarios of one family: `http/uring is best or shares the first
/// place in 5 of 9 scenarios`.
fn best_of<'a>(
    scenarios: impl Iterator<Item = (&'a ImplementationSpec, Vec<&'a ImplementationSpec>)>,
) -> Option<String> {
    let mut alone: BTreeMap<&ImplementationSpec, usize> = BTreeMap::new();
    let mut leading: BTreeMap<&ImplementationSpec, usize> = BTreeMap::new();
    let mut total = 0;
    for (first, level) in scenarios {
        total += 1;
        *alone.entry(first).or_default() += usize::from(level.is_empty());
        for implementation in level.into_iter().chain([first]) {
            *leading.entry(implementation).or_default() += 1;
        }
    }
    // Of equal ones the one that is ahead alone more often, then the first by name.
    let (name, count) = leading.iter().max_by_key(|(name, count)| {
        (
            **count,
            alone.get(*name).copied(),
            std::cmp::Reverse(**name),
        )
    })?;
    let ahead = alone.get(name).copied().unwrap_or(0);
    let scenarios = if total == 1 {
        "the only scenario".to_owned()
    } else {
        format!("{count} of {total} scenarios")
    };
    let how = match ahead {
        0 => "shares the first place",
        _ if ahead == *count => "is best",
        _ => "is best or shares the first place",
    };
    Some(format!("{name} {how} in {scenarios}"))
}

/// `2 cores, virtual (kvm), 24 GiB, Linux 6.18`.
pub(crate) fn machine_words(host: &Host) -> String {
    let cores = counted(host.cpus.len(), "core", "cores");
    let memory = crate::format::bound((host.memory_bytes as f64 / 1_073_741_824.0).round(), "GiB");
    let kernel: Vec<&str> = host.kernel.splitn(3, '.').take(2).collect();
    let virtualisation = host.virtualisation.as_str();
    let parts = [
        cores,
        virtualisation.to_owned(),
        memory,
        format!("{} {}", host.os, kernel.join(".")),
    ];
    parts
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
