//! The top of the page: what was found, in sentences and in counts.

use maud::{Markup, html};
use ringside_contract::{
    CheckState, Host, ImplementationSpec, Interval, Mark, RankedCell, Ranking, Role, SelfControl,
    Verdicts,
};

use crate::format::{THIN, counted, date, grouped, percent, span, times};
use crate::lead::Lead;
use crate::view::{Tally, documented, goals, grouped_by, metric_words};
use crate::words::Wording;

/// Comparisons that the first sentences give of each family.
const LEADS_A_FAMILY: usize = 2;

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
    html! {
        section.strip aria-label="Verdicts in numbers" {
            (tile("met", promises.met, "promises met", "the whole interval is on the promised side"))
            (tile("missed", promises.missed, "promises missed", "the whole interval is on the other side"))
            (tile("undecided", promises.undecided, "undecided", "measured, the interval does not decide"))
            (tile("nothere", promises.not_here, "not here", "this machine cannot decide them"))
            (tile("notrun", promises.not_run, "not run", "not in this plan, or not built yet"))
        }
        section.strip.minor aria-label="Trust, limits and goals in numbers" {
            (trust_tile(verdicts))
            @if promises.disqualified > 0 {
                (tile("missed", promises.disqualified, "disqualified", "wrong answers: speed does not count"))
            }
            @if limits.judged() > 0 {
                (tile("plain", limits.met, &format!("of {} limits hold", limits.judged()), "what documents say others cannot do"))
            }
            (goals_tile(verdicts))
        }
    }
}

/// Whether to trust the run, before anything is read: how wide the interval of two equal things is, and
/// how many checks warn.
fn trust_tile(verdicts: &Verdicts) -> Markup {
    let widest = verdicts
        .controls
        .iter()
        .map(SelfControl::width)
        .filter(|width| width.is_finite())
        .reduce(f64::max);
    let warnings = verdicts
        .trust
        .iter()
        .filter(|check| check.state == CheckState::Warning)
        .count();
    let class = if warnings > 0 || widest.is_none() {
        "undecided"
    } else {
        "met"
    };
    html! {
        a.tile.(class) href="#trust" {
            p.count { b { (grouped(warnings as u64)) } " " (if warnings == 1 { "warning" } else { "warnings" }) }
            p.about {
                @match widest {
                    Some(width) => { "two equal things: interval of their ratio up to " (percent(width)) " wide" }
                    None => { "how far two equal things seem apart is not known here" }
                }
            }
        }
    }
}

fn goals_tile(verdicts: &Verdicts) -> Markup {
    let tally = Tally::of(goals(verdicts), |_| true);
    let class = match (tally.missed + tally.disqualified, tally.undecided) {
        (0, 0) => "met",
        (0, _) => "undecided",
        _ => "missed",
    };
    html! {
        @if tally.judged() > 0 {
            a.tile.(class) href="#goals" {
                p.count { b { (grouped(tally.met as u64)) } " of " (tally.judged()) " own goals met" }
                p.about { (tally_words(&tally)) "; counted with no promise" }
            }
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

/// What was found, one sentence each: the best implementations beside their rivals, the promises, the
/// goals, the machine.
pub(crate) fn summary_sentences(verdicts: &Verdicts) -> Vec<String> {
    let mut sentences = leading_sentences(verdicts);
    let promises = Tally::of(documented(verdicts), |role| role == Role::Promise);
    let judged = promises.judged();
    sentences.push(if judged == 0 {
        "No documented promise was measured in this run.".to_owned()
    } else {
        let total = counted(judged, "documented promise", "documented promises");
        format!("Of {total} measured here, {}.", tally_words(&promises))
    });
    let own = Tally::of(goals(verdicts), |_| true);
    if own.judged() > 0 {
        sentences.push(format!(
            "Of this project's own goals, {}.",
            tally_words(&own)
        ));
    }
    let host = &verdicts.run.host;
    let processor = host.processor.trim();
    let separator = if processor.is_empty() { "" } else { ", " };
    sentences.push(format!(
        "Measured on {processor}{separator}{}.",
        machine_words(host)
    ));
    sentences
}

/// How the judged ones came out, without what did not come up: `8 are met, 3 are undecided`.
fn tally_words(tally: &Tally) -> String {
    let parts: Vec<String> = [
        (tally.met, "met"),
        (tally.missed, "missed"),
        (tally.undecided, "undecided"),
        (tally.disqualified, "disqualified"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", are(count)))
    .collect();
    parts.join(", ")
}

fn are(count: usize) -> String {
    format!(
        "{}{THIN}{}",
        grouped(count as u64),
        if count == 1 { "is" } else { "are" }
    )
}

/// Who leads, with figures, and in how many scenarios nobody does.
fn leading_sentences(verdicts: &Verdicts) -> Vec<String> {
    let wording = Wording::of(verdicts);
    let leads: Vec<_> = verdicts
        .rankings
        .iter()
        .map(|ranking| (ranking, Lead::of(ranking)))
        .collect();
    let families = grouped_by(leads.iter(), |(ranking, _)| {
        ranking.scenario.id.family.as_str()
    });
    let mut sentences: Vec<String> = families
        .iter()
        .flat_map(|(_, leads)| {
            leads
                .iter()
                .filter_map(|(ranking, lead)| comparison(verdicts, &wording, ranking, lead))
                .take(LEADS_A_FAMILY)
        })
        .collect();
    let count =
        |wanted: fn(&Lead<'_>) -> bool| leads.iter().filter(|(_, lead)| wanted(lead)).count();
    let clear = count(|lead| matches!(lead, Lead::Clear { .. }));
    let open = count(|lead| matches!(lead, Lead::Open(_)));
    let too_few = count(|lead| matches!(lead, Lead::TooFewRounds(_)));
    if clear + open == 0 {
        sentences.push(if too_few > 0 {
            "This run has too few rounds to decide anything: its figures show that everything works, not what \
             is faster."
                .to_owned()
        } else {
            "No implementation could be ranked.".to_owned()
        });
    } else if open > 0 {
        sentences.push(format!(
            "In {open} of {} scenarios no implementation was told apart as the best.",
            leads.len()
        ));
    }
    sentences
}

/// The leader beside what a reader would compare it with: an outside program, or else the next one that
/// is behind. `None` where nobody leads or nobody was told apart.
fn comparison(
    verdicts: &Verdicts,
    wording: &Wording<'_>,
    ranking: &Ranking,
    lead: &Lead<'_>,
) -> Option<String> {
    let Lead::Clear { first, .. } = lead else {
        return None;
    };
    let behind = || {
        ranking
            .cells
            .iter()
            .filter(|cell| matches!(cell.mark, Mark::Behind))
    };
    let is_program = |cell: &&RankedCell| {
        verdicts.cells.iter().any(|known| {
            known.program.is_some()
                && known.scenario == ranking.scenario
                && known.implementation == cell.implementation
        })
    };
    let rival = behind().find(is_program).or_else(|| behind().next())?;
    let good = rival.relative.filter(|ratio| ratio.low > 0.0)?;
    let ratio = Interval {
        low: 1.0 / good.high,
        point: 1.0 / good.point,
        high: 1.0 / good.low,
        ..good
    };
    let (point, range) = times(&ratio);
    let (leader, rival) = (
        name_in_family(&first.implementation),
        name_in_family(&rival.implementation),
    );
    let (subject, verb, object) = if ranking.unit.ends_with("/s") {
        (leader.as_str(), "gives", rival.as_str())
    } else {
        (rival.as_str(), "takes", leader.as_str())
    };
    let words = wording.words(&ranking.scenario);
    let separator = if words.is_empty() { "" } else { ", " };
    Some(format!(
        "{}{separator}{words}: {subject} {verb} {point} ({range}) what {object} {verb}, by {}.",
        ranking.scenario.id,
        metric_words(&ranking.metric)
    ))
}

/// The name with its axes, without the family, which the scenario names.
fn name_in_family(implementation: &ImplementationSpec) -> String {
    let name = implementation.to_string();
    match name.split_once('/') {
        Some((_, name)) => name.to_owned(),
        None => name,
    }
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
