//! A claim's verdict, from its cells. Each step either ends with the reason why the records cannot
//! decide, or hands on to the next.

use ringside_contract::{Claim, ClaimKind, Interval, Judgement, Role, RunRecord, Verdict};

use crate::doubt::unfit;
use crate::fairer::{fairer_baseline, fairer_pairs};
use crate::figure::{figure, quantity};
use crate::index::{Cell, Index};
use crate::input::JudgeInput;
use crate::latency::at_its_load;
use crate::lookup::{Found, Lookup, find};
use crate::measure::claim_interval;
use crate::metrics::{Metric, MetricClass, metric, unobservable};
use crate::needs::{Here, only_size};
use crate::pairing::{ratio, summary};
use crate::presence::{absence, known, missing_needs, needs_sentence, not_built};
use crate::rules::{asks_for_good, compares, counts_as_equal, decide, samples_needed};

/// A verdict on its way to a judgement.
struct Outcome {
    verdict: Verdict,
    measured: Option<Interval>,
    notes: Vec<String>,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            measured: None,
            notes: Vec::new(),
        }
    }
}

/// Judges one claim.
pub(crate) fn judge_claim(input: &JudgeInput<'_>, index: &Index<'_>, claim: &Claim) -> Judgement {
    let outcome = outcome(input, index, claim);
    Judgement {
        claim: claim.clone(),
        verdict: outcome.verdict,
        measured: outcome.measured,
        notes: outcome.notes,
    }
}

fn outcome(input: &JudgeInput<'_>, index: &Index<'_>, claim: &Claim) -> Outcome {
    if let Some(because) = not_built(input, claim) {
        return Verdict::NotRun { because }.into();
    }
    if let Some(needs) = unobservable(&claim.metric) {
        return Verdict::NotHere {
            needs: needs.to_owned(),
        }
        .into();
    }
    let here = here(input, claim);
    let missing = here
        .as_ref()
        .map_or_else(Vec::new, |here| missing_needs(input.claims, claim, here));
    let elsewhere = |here: &Here<'_>| Verdict::NotHere {
        needs: needs_sentence(&missing, here),
    };
    let metric = match known(input, claim) {
        Ok(metric) => metric,
        Err(because) => {
            let unknown = Verdict::NotRun { because };
            return here
                .as_ref()
                .filter(|_| !missing.is_empty())
                .map_or(unknown, elsewhere)
                .into();
        }
    };
    let measured = match find(index, claim, metric) {
        Lookup::Found(found) => {
            let mut outcome = measured(input.claims, claim, metric, &found);
            outcome
                .notes
                .extend(fairer_baseline(index, claim, metric, &found));
            let pairs = fairer_pairs(index, input.fairer, claim, metric, &found);
            outcome.notes.extend(pairs);
            outcome
        }
        Lookup::Missing(implementation) => Verdict::NotRun {
            because: absence(input, claim, &implementation.to_string()),
        }
        .into(),
    };
    match &here {
        Some(here) if !missing.is_empty() => smaller_host(claim, metric, measured, &missing, here),
        _ => measured,
    }
}

/// What the servers that the claim names had; of all servers when none of these was measured.
fn here<'a>(input: &JudgeInput<'a>, claim: &Claim) -> Option<Here<'a>> {
    let records = &input.records.records;
    let named = |record: &&RunRecord| {
        let id = &record.implementation.id;
        record.scenario.id == claim.scenario.id
            && (*id == claim.candidate.id
                || claim
                    .baseline
                    .as_ref()
                    .is_some_and(|baseline| *id == baseline.id))
    };
    Here::of(records.iter().filter(named)).or_else(|| Here::of(records.iter()))
}

/// Less than the documented machine may say Met, never Missed. Even Met is sound only where a
/// small host makes the claim harder: a rate that has to be reached. A latency at less load than the
/// document's, or a rate that must not be passed, would be met by being small.
fn smaller_host(
    claim: &Claim,
    metric: &Metric,
    measured: Outcome,
    missing: &[&str],
    here: &Here<'_>,
) -> Outcome {
    let harder = claim.kind == ClaimKind::AtLeast
        && metric.class == MetricClass::Rate
        && claim.role == Role::Promise;
    let mut outcome = measured;
    match outcome.verdict {
        Verdict::Met { .. } if harder && only_size(missing) => {
            outcome.notes.push(format!(
                "met with less than the documented machine ({})",
                needs_sentence(missing, here)
            ));
        }
        Verdict::Disqualified { .. } => {}
        _ => {
            outcome.verdict = Verdict::NotHere {
                needs: needs_sentence(missing, here),
            }
        }
    }
    outcome
}

fn measured(claims: &[Claim], claim: &Claim, metric: &Metric, found: &Found<'_, '_>) -> Outcome {
    if let Some(verdict) = unusable(metric, found) {
        let measured = figure_of_bad(claim, metric, found);
        let note = "it fails tests of quality; what it was measured at stands beside that";
        return Outcome {
            verdict,
            notes: measured.iter().map(|_| note.to_owned()).collect(),
            measured,
        };
    }
    let interval = match claim_interval(claim, metric, found) {
        Ok(interval) => interval,
        Err(verdict) => return verdict.into(),
    };
    let verdict = judged(claim, metric, found, &interval);
    let verdict = at_its_load(claims, claim, metric, found, verdict);
    let mut notes = notes(metric, found, &verdict);
    if counts_as_equal(claim, metric, &interval) {
        notes.push("counted figures within 0.5 % of a bound count as equal to it".to_owned());
    }
    Outcome {
        verdict,
        measured: Some(interval),
        notes,
    }
}

/// The figure of a candidate that fails tests of quality where nothing else is the matter: people compare with it.
fn figure_of_bad(claim: &Claim, metric: &Metric, found: &Found<'_, '_>) -> Option<Interval> {
    let candidate = found.candidate;
    candidate.quality_fault()?;
    let is_right = candidate.wrong_answers().is_none() && candidate.failures.is_empty();
    let is_comparable = found
        .baseline
        .is_none_or(|cell| unfit(cell, metric).is_none());
    if !is_right || !is_comparable {
        return None;
    }
    let interval = claim_interval(claim, metric, found).ok()?;
    (interval.samples >= samples_needed(claim.kind)).then_some(interval)
}

/// Why the cells decide nothing, whatever their figures.
fn unusable(metric: &Metric, found: &Found<'_, '_>) -> Option<Verdict> {
    if let Some(because) = found.candidate.disqualified() {
        return Some(Verdict::Disqualified { because });
    }
    for cell in [Some(found.candidate), found.baseline]
        .into_iter()
        .flatten()
    {
        let named = |because: &str| format!("{}: {because}", cell.implementation);
        if cell.rounds.is_empty()
            && let Some(reason) = cell.skipped
        {
            return Some(Verdict::NotHere {
                needs: named(reason),
            });
        }
        if let Some(because) = unfit(cell, metric) {
            return Some(Verdict::Undecided {
                because: named(&because),
            });
        }
    }
    None
}

/// The verdict of a figure: enough samples, comparable, and not decided by the generator.
fn judged(claim: &Claim, metric: &Metric, found: &Found<'_, '_>, interval: &Interval) -> Verdict {
    let needed = samples_needed(claim.kind);
    if interval.samples < needed {
        let of = if compares(claim.kind) {
            "process pairs"
        } else {
            "processes"
        };
        let because = format!(
            "too few rounds: {} {of}, and {needed} are needed",
            interval.samples
        );
        return Verdict::Undecided { because };
    }
    let verdict = decide(claim, metric, interval);
    match metric.class {
        MetricClass::Rate | MetricClass::Latency => {
            generator_limited(claim, metric, found, verdict)
        }
        MetricClass::Processor => unequally_loaded(claim, metric, found, verdict),
        MetricClass::Other => verdict,
    }
}

/// An operation costs more on a server that is not full, so an idle candidate looks worse than it is.
/// That leaves one verdict sound: Met, alone or against a full baseline, when the claim asks for a good
/// figure. How much of the processor is used at all is another matter: it is low because it is idle.
fn unequally_loaded(
    claim: &Claim,
    metric: &Metric,
    found: &Found<'_, '_>,
    verdict: Verdict,
) -> Verdict {
    let Some(because) = unequal_load(found) else {
        return verdict;
    };
    let met = matches!(verdict, Verdict::Met { .. }) && asks_for_good(claim, metric);
    if met && metric.name != "cpu_utilisation" && found.baseline.is_none_or(Cell::saturated) {
        return verdict;
    }
    Verdict::Undecided { because }
}

/// Processor time an operation falls as a server fills up, so it compares only at equal load.
fn unequal_load(found: &Found<'_, '_>) -> Option<String> {
    let cells: Vec<_> = [Some(found.candidate), found.baseline]
        .into_iter()
        .flatten()
        .collect();
    // One scenario, so one offered rate; a cell that did not keep up with it is invalid.
    if cells.iter().all(|cell| cell.load() == "open") {
        return None;
    }
    let idle = cells.iter().find(|cell| !cell.saturated())?;
    Some(format!(
        "{} was not saturated: processor time compares only between saturated servers or at one offered rate",
        idle.implementation
    ))
}

/// A closed loop whose generator was the limit says only that the server is at least as good as its
/// figure. That leaves one verdict sound: Met, when the candidate's cell alone was limited and the
/// claim asks for a good figure that it reached all the same.
fn generator_limited(
    claim: &Claim,
    metric: &Metric,
    found: &Found<'_, '_>,
    verdict: Verdict,
) -> Verdict {
    let baseline = found.baseline.is_some_and(Cell::generator_limited);
    let candidate = found.candidate.generator_limited();
    if !baseline && !candidate {
        return verdict;
    }
    if !baseline && asks_for_good(claim, metric) && matches!(verdict, Verdict::Met { .. }) {
        return verdict;
    }
    let cell = if candidate {
        found.candidate
    } else {
        found.baseline.unwrap_or(found.candidate)
    };
    let because = format!(
        "the generator was the limit of {} in a closed loop, so its {} is only a bound",
        cell.implementation, metric.name
    );
    Verdict::Undecided { because }
}

/// What to know beside the verdict; what is its reason already is not said twice.
fn notes(metric: &Metric, found: &Found<'_, '_>, verdict: &Verdict) -> Vec<String> {
    let mut notes = Vec::new();
    let cell = found.candidate;
    if metric.class == MetricClass::Latency {
        match cell.load() {
            "closed" if metric.name == "transfer_time" => {}
            "closed" => notes.push("closed loop: queueing, not service time".to_owned()),
            "open" => {
                let rate = cell
                    .sample
                    .params
                    .value("rate")
                    .unwrap_or("an unknown rate");
                notes.push(format!(
                    "open loop at {rate}/s, latency from the intended time"
                ));
            }
            _ => {}
        }
    }
    let decided = matches!(verdict, Verdict::Met { .. } | Verdict::Missed { .. });
    if decided && found.candidate.generator_limited() && metric.class == MetricClass::Rate {
        notes.push("the generator was the limit: the server could only be faster".to_owned());
    }
    if let Some(baseline) = found.baseline {
        notes.push(medians(metric, cell, baseline));
        let limited = cell.generator_limited() || baseline.generator_limited();
        if limited && metric.class == MetricClass::Rate {
            notes.extend(by_processor_time(cell, baseline));
        }
    }
    notes
}

fn medians(metric: &Metric, candidate: &Cell<'_>, baseline: &Cell<'_>) -> String {
    let median = |cell| {
        let point = summary(cell, metric).map_or(f64::NAN, |interval| interval.point);
        quantity(point, metric.unit)
    };
    format!(
        "medians: {} against {}",
        median(candidate),
        median(baseline)
    )
}

/// What a reader can still take from a rate that the generator limited: the operations for a second
/// of the server's processor time, which compare where both servers were full.
fn by_processor_time(candidate: &Cell<'_>, baseline: &Cell<'_>) -> Option<String> {
    let interval = ratio(candidate, baseline, metric("operations_per_cpu_s")?)?;
    let idle = [candidate, baseline]
        .into_iter()
        .find(|cell| !cell.saturated());
    let how = idle.map_or_else(
        || "both saturated".to_owned(),
        |cell| format!("no verdict, as {} was not saturated", cell.implementation),
    );
    Some(format!(
        "by the server's processor time ({how}): {}× ({} to {})",
        figure(interval.point),
        figure(interval.low),
        figure(interval.high)
    ))
}
