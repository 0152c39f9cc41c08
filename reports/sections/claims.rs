//! Every claim of the documents with its measured interval and verdict, by family; the judged ones first,
//! what was not run folded away. This project's own goals stand behind them, in a part of their own.

use std::collections::BTreeSet;

use maud::{Markup, html};
use ringside_contract::{
    Claim, ClaimKind, Contradiction, Interval, Judgement, Role, Verdict, Verdicts,
};

use super::formulas::formulas_of;
use crate::chart::against_bounds;
use crate::format::{bound, certainty, counted, figure, percent};
use crate::view::{
    Tally, anchor, breakable, claim_unit, documented, goals as own_goals, grouped_by, metric_words,
    verdict_look, with_code,
};

/// The claims, families with a judged one first.
pub(crate) fn claims(verdicts: &Verdicts) -> Markup {
    let mut families = grouped_by(documented(verdicts), |judgement| {
        judgement.claim.scenario.id.family.as_str()
    });
    families
        .sort_by_key(|(_, judgements)| !judgements.iter().any(|judgement| is_judged(judgement)));
    let (judged, rest): (Vec<_>, Vec<_>) = families
        .into_iter()
        .partition(|(_, judgements)| judgements.iter().any(|j| is_judged(j)));
    let formula_families: BTreeSet<&str> = verdicts
        .formulas
        .iter()
        .map(|formula| formula.family.as_str())
        .collect();
    html! {
        section #claims aria-labelledby="claims-h" {
            h2 #claims-h { "What the documents claim" }
            @if documented(verdicts).next().is_none() {
                p.card.hint { "No claims were read: the list of claims was empty." }
            } @else {
                p.hint { "The shade is what a document promises, the dashed line its bound; the line is the measured interval, the dot its median. A ratio above 1 speaks for what is named first, where less is better too. A verdict comes from the whole interval. Each interval stands for itself (98 % unless said otherwise): of fifty verdicts one may be wrong by chance." }
            }
            @for (family, judgements) in &judged {
                (family_card(family, judgements, &verdicts.contradictions))
                (formulas_of(verdicts, family))
            }
            @for family in formula_families.iter().filter(|family| !judged.iter().any(|(known, _)| known == *family)) {
                (formulas_of(verdicts, family))
            }
            @if !rest.is_empty() {
                details.card {
                    summary { h3 { "Families without a measured claim (" (rest.len()) ")" } }
                    @for (family, judgements) in &rest { (folded(family, judgements, &verdicts.contradictions)) }
                }
            }
        }
    }
}

/// This project's own goals, judged by the same rules and counted with no document's promises.
pub(crate) fn goals(verdicts: &Verdicts) -> Markup {
    let all: Vec<&Judgement> = own_goals(verdicts).collect();
    html! {
        @if !all.is_empty() {
            section #goals aria-labelledby="goals-h" {
                h2 #goals-h { "This project's own goals" }
                p.hint {
                    "What these implementations have to reach beside nginx, mosquitto and rumqttd, and beside the floor, which makes the same system calls and does next to nothing between them. "
                    "Judged like the claims above, counted with none of them. The plan sets its rounds before it measures; a goal near to what is measured has more of them. "
                    code { "ringside bench-all --plan goals" } " decides them all."
                }
                @for (family, judgements) in &grouped_by(all.iter().copied(), |goal| goal.claim.scenario.id.family.as_str()) {
                    (family_card(family, judgements, &verdicts.contradictions))
                }
            }
        }
    }
}

fn family_card(
    family: &str,
    judgements: &[&Judgement],
    contradictions: &[Contradiction],
) -> Markup {
    let mut shown: Vec<&Judgement> = judgements
        .iter()
        .copied()
        .filter(|judgement| !is_not_run(judgement))
        .collect();
    shown.sort_by_key(|judgement| order(&judgement.verdict));
    let is_goal = judgements.iter().all(|judgement| judgement.claim.is_goal());
    let what = if is_goal { "goal" } else { "claim" };
    let not_run: Vec<&Judgement> = judgements
        .iter()
        .copied()
        .filter(|judgement| is_not_run(judgement))
        .collect();
    html! {
        div.card {
            h3 { (family) " " small.hint { (tally_words(judgements)) } }
            ul.claims { @for judgement in shown { (claim_item(judgement, contradictions)) } }
            @if !not_run.is_empty() {
                details {
                    summary { (counted(not_run.len(), what, &format!("{what}s"))) " not in this run" }
                    (brief_list(&not_run, contradictions))
                }
            }
        }
    }
}

fn folded(family: &str, judgements: &[&Judgement], contradictions: &[Contradiction]) -> Markup {
    html! {
        details {
            summary { b { (family) } " " span.hint { (tally_words(judgements)) } }
            (brief_list(judgements, contradictions))
        }
    }
}

/// One claim in full.
fn claim_item(judgement: &Judgement, contradictions: &[Contradiction]) -> Markup {
    let claim = &judgement.claim;
    let (class, _) = verdict_look(&judgement.verdict);
    html! {
        li.claim id=(anchor("c", &claim.id)) {
            div.says {
                p.statement { (chip(judgement)) " " (claim.statement) }
                @if let Some(reason) = reason(&judgement.verdict) { p.reason { (with_code(&reason)) } }
                @for note in &judgement.notes { p.reason { (with_code(note)) } }
                p.source {
                    span { code { (breakable(&claim.id)) } }
                    span { (subject(claim)) }
                    span { (source(claim)) }
                    (contradicted(claim, contradictions))
                }
            }
            div.proof {
                @if let Some(measured) = &judgement.measured {
                    @let figure = figure(measured, claim_unit(claim));
                    @if let Some(bar) = against_bounds(claim, measured, class) { (bar) }
                    p { b { (figure.point) } " " span.range { @if measured.low != measured.high { (figure.range) " · " } (sure(claim, measured)) } }
                }
                p.promised {
                    (promised(claim))
                    @if let Some(distance) = distance(judgement) { " · " (distance) }
                }
            }
        }
    }
}

/// How sure the figure is: a comparison rests on pairs of processes, an absolute figure on processes.
fn sure(claim: &Claim, measured: &Interval) -> String {
    if claim.baseline.is_some() {
        certainty(measured, "pair", "pairs")
    } else {
        certainty(measured, "process", "processes")
    }
}

/// Claims that were not judged: a line each, under their reason, since many share one.
fn brief_list(judgements: &[&Judgement], contradictions: &[Contradiction]) -> Markup {
    let by_reason = grouped_by(judgements.iter(), |judgement| {
        (
            judgement.verdict.word(judgement.claim.role),
            reason_text(&judgement.verdict),
        )
    });
    html! {
        @for ((word, reason), group) in by_reason {
            p.why { b { (word) } @if !reason.is_empty() { ": " (with_code(reason)) } }
            ul.brief {
                @for judgement in group {
                    li id=(anchor("c", &judgement.claim.id)) {
                        (judgement.claim.statement) " "
                        span.source {
                            code { (breakable(&judgement.claim.id)) } " "
                            span { (promised(&judgement.claim)) } " "
                            span { (source(&judgement.claim)) }
                            (contradicted(&judgement.claim, contradictions))
                        }
                    }
                }
            }
        }
    }
}

/// Where the documents do not agree with themselves.
pub(crate) fn contradictions(verdicts: &Verdicts) -> Markup {
    html! {
        @if !verdicts.contradictions.is_empty() {
            section #contradictions aria-labelledby="contradictions-h" {
                h2 #contradictions-h { "Where the documents contradict themselves" }
                ul.card.plain-list {
                    @for (index, contradiction) in verdicts.contradictions.iter().enumerate() { (contradiction_item(verdicts, index, contradiction)) }
                }
            }
        }
    }
}

/// Links from a claim to what is said against it.
fn contradicted(claim: &Claim, contradictions: &[Contradiction]) -> Markup {
    let against = contradictions
        .iter()
        .enumerate()
        .filter(|(_, contradiction)| contradiction.claims.contains(&claim.id));
    html! {
        @for (index, _) in against {
            " " a href={ "#x-" (index + 1) } { "contradicted" }
        }
    }
}

fn contradiction_item(verdicts: &Verdicts, index: usize, contradiction: &Contradiction) -> Markup {
    let known = |id: &String| {
        verdicts
            .judgements
            .iter()
            .any(|judgement| &judgement.claim.id == id)
    };
    html! {
        li id={ "x-" (index + 1) } {
            (contradiction.sentence)
            p.source {
                @for id in &contradiction.claims {
                    @if known(id) {
                        a href={ "#" (anchor("c", id)) } { (breakable(id)) }
                    } @else {
                        code { (breakable(id)) }
                    }
                    " "
                }
            }
        }
    }
}

/// The verdict's word in its colours.
fn chip(judgement: &Judgement) -> Markup {
    let (class, sign) = verdict_look(&judgement.verdict);
    html! {
        span.chip.(class) { span aria-hidden="true" { (sign) } " " (judgement.verdict.word(judgement.claim.role)) }
        @match judgement.claim.role {
            Role::Promise => {}
            Role::Limit => { " " span.role { "limit" } }
            Role::Before => { " " span.role { "state before" } }
        }
    }
}

fn reason_text(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Undecided { because }
        | Verdict::NotRun { because }
        | Verdict::Disqualified { because } => because,
        Verdict::NotHere { needs } => needs,
        Verdict::Met { .. } | Verdict::Missed { .. } => "",
    }
}

fn reason(verdict: &Verdict) -> Option<String> {
    let text = reason_text(verdict);
    if text.is_empty() {
        return None;
    }
    Some(match verdict {
        Verdict::NotHere { .. } => format!("Needs {text}"),
        _ => text.to_owned(),
    })
}

/// How far the interval is from the bound.
fn distance(judgement: &Judgement) -> Option<String> {
    match judgement.verdict {
        // A bound of 0 has no shares: the distance is in the unit of the figure.
        Verdict::Missed { shortfall }
            if is_from_zero(&judgement.claim) && shortfall.is_finite() =>
        {
            let off = bound(shortfall.abs(), claim_unit(&judgement.claim));
            Some(format!("off by {off}"))
        }
        Verdict::Met { .. } if is_from_zero(&judgement.claim) || is_none(judgement) => None,
        Verdict::Met { margin, .. } if margin.is_finite() && margin >= 0.0005 => {
            Some(format!("{} to spare", share_or_times(margin)))
        }
        Verdict::Missed { shortfall } if shortfall.is_finite() => {
            let short =
                judgement.claim.role == Role::Promise && judgement.claim.kind != ClaimKind::AtMost;
            let how = if short { "short by" } else { "off by" };
            Some(format!("{how} {}", share_or_times(shortfall.abs())))
        }
        _ => None,
    }
}

/// Whether nothing at all was measured of what should be little: a distance from the bound says no more.
fn is_none(judgement: &Judgement) -> bool {
    judgement
        .measured
        .is_some_and(|measured| measured.high == 0.0)
}

/// Whether a bound of the claim is 0.
fn is_from_zero(claim: &Claim) -> bool {
    [claim.low, claim.high].contains(&Some(0.0))
}

/// A relative distance; beyond twice the bound it is a matter of factors.
fn share_or_times(share: f64) -> String {
    if share < 1.0 {
        percent(share)
    } else {
        format!("a factor of {}", bound(share + 1.0, ""))
    }
}

/// `http/uring against http/epoll in http/small{connections=400}, P99 latency`. What is measured with other
/// parameters than the candidate says so, as in the table of claims: `mqtt/uring{qos=0}`.
fn subject(claim: &Claim) -> Markup {
    let other = &claim.baseline_params;
    html! {
        (breakable(&claim.candidate.to_string()))
        @if let Some(baseline) = &claim.baseline {
            " against " (breakable(&baseline.to_string()))
            @if !other.is_empty() { (breakable(&format!("{{{other}}}"))) }
        }
        " in " (breakable(&claim.scenario.to_string())) ", " (metric_words(&claim.metric))
    }
}

fn source(claim: &Claim) -> String {
    if claim.is_goal() {
        "a goal of this project".to_owned()
    } else if claim.section.is_empty() {
        format!("seed {}", claim.seed)
    } else {
        format!("seed {} §\u{a0}{}", claim.seed, claim.section)
    }
}

/// The bounds in words.
fn promised(claim: &Claim) -> String {
    let write = |value: f64| bound(value, claim_unit(claim));
    let bounds = match (claim.kind, claim.low, claim.high) {
        (_, None, None) => return "no bound given".to_owned(),
        (ClaimKind::AtMost, _, Some(high)) | (_, None, Some(high)) => {
            format!("at most {}", write(high))
        }
        (ClaimKind::AtLeast, Some(low), _) | (_, Some(low), None) => {
            format!("at least {}", write(low))
        }
        (_, Some(low), Some(high)) => format!("{} to {}", write(low), write(high)),
    };
    match claim.role {
        _ if claim.is_goal() => format!("goal: {bounds}"),
        Role::Promise => format!("promised {bounds}"),
        Role::Limit => format!("said to be {bounds}"),
        Role::Before => format!("said to start from {bounds}"),
    }
}

fn tally_words(judgements: &[&Judgement]) -> String {
    let tally = Tally::of(judgements.iter().copied(), |_| true);
    let words: Vec<String> = [
        (tally.met, "met"),
        (tally.missed, "missed"),
        (tally.disqualified, "disqualified"),
        (tally.undecided, "undecided"),
        (tally.not_here, "not here"),
        (tally.not_run, "not run"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    words.join(" · ")
}

fn is_judged(judgement: &Judgement) -> bool {
    order(&judgement.verdict) < 4
}

fn is_not_run(judgement: &Judgement) -> bool {
    matches!(judgement.verdict, Verdict::NotRun { .. })
}

/// What a reader must not overlook comes first.
fn order(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Missed { .. } => 0,
        Verdict::Disqualified { .. } => 1,
        Verdict::Met { .. } => 2,
        Verdict::Undecided { .. } => 3,
        Verdict::NotHere { .. } => 4,
        Verdict::NotRun { .. } => 5,
    }
}
