//! Summaries of cells: each metric's median, the percentile curve, the sweep, and what to know.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use ringside_contract::{CellSummary, Limit, MetricSummary, RunRecord, SweepPoint, SweepStep};

use crate::figure::percent;
use crate::histogram::curve;
use crate::index::{Cell, Index, LATE_SHARE_MAX};
use crate::interval::{NOMINAL_CONFIDENCE, median_interval};
use crate::metrics::{metric, metrics};
use crate::neighbours::disturbed;
use crate::pairing::summary;

/// More operations without an answer than this are named beside the cell's figures.
const UNANSWERED_WARNED: f64 = 0.01;

/// A summary of every cell, second copies left out, in the order of the index.
pub(crate) fn summaries(index: &Index<'_>) -> Vec<CellSummary> {
    let cells: Vec<_> = index.first_copies().collect();
    cells.par_iter().map(|cell| cell_summary(cell)).collect()
}

fn cell_summary(cell: &Cell<'_>) -> CellSummary {
    let (curve, broken) = curve(cell.measures());
    let mut warnings = warnings(cell);
    if broken > 0 {
        warnings.push(format!(
            "{broken} latency histograms could not be read and are left out of the curve"
        ));
    }
    let unanswered = cell.unanswered_share();
    if unanswered > UNANSWERED_WARNED {
        warnings.push(format!(
            "{} of the operations had no answer when the window closed and count with their time so far, so that its longest latencies are only bounds",
            percent(unanswered)
        ));
    }
    warnings.extend(oversubscribed(cell));
    if cell.generator_limited() {
        warnings.push("the generator was the limit: rates are lower bounds".to_owned());
    }
    CellSummary {
        scenario: cell.scenario.clone(),
        implementation: cell.implementation.clone(),
        ranked: cell.sample.ranked,
        program: program(cell),
        load: cell.load().to_owned(),
        params: cell.sample.params.clone(),
        rounds: u32::try_from(cell.rounds.len()).unwrap_or(u32::MAX),
        failures: cell.failures.clone(),
        invalid: invalid(cell),
        disturbed: metric("throughput").and_then(|rate| disturbed(cell, rate)),
        limited_by: cell.limited_by(),
        metrics: metric_summaries(cell),
        curve,
        sweep: sweep(cell),
        warnings,
    }
}

/// Threads that take turns on cores measure the scheduler too: such a cell is no point of a speed-up.
fn oversubscribed(cell: &Cell<'_>) -> Option<String> {
    cell.measures().find_map(|measures| {
        let threads = measures.threads.as_ref()?.threads;
        let cores = measures.server.as_ref()?.cores;
        (f64::from(threads) > cores).then(|| {
            format!(
                "oversubscribed: {threads} threads on {cores:.0} core{}",
                if cores > 1.0 { "s" } else { "" }
            )
        })
    })
}

fn program(cell: &Cell<'_>) -> Option<String> {
    let program = cell.sample.program.as_ref()?;
    let known = program.version.contains(&program.name);
    Some(if known {
        program.version.clone()
    } else {
        format!("{} {}", program.name, program.version)
    })
}

fn invalid(cell: &Cell<'_>) -> Option<String> {
    match cell.skipped {
        Some(reason) if cell.rounds.is_empty() => Some(reason.to_owned()),
        _ => cell.invalid(),
    }
}

fn metric_summaries(cell: &Cell<'_>) -> BTreeMap<String, MetricSummary> {
    let summarise = |metric: &crate::Metric| {
        let interval = summary(cell, metric)?;
        let unit = metric.unit.to_owned();
        let summary = MetricSummary {
            unit,
            more_is_better: metric.more_is_better,
            interval,
        };
        Some((metric.name.to_owned(), summary))
    };
    metrics().iter().filter_map(summarise).collect()
}

/// The steps of a sweep, medians over the rounds that reached them, by offered rate.
fn sweep(cell: &Cell<'_>) -> Vec<SweepPoint> {
    let mut steps: BTreeMap<u64, Vec<&SweepStep>> = BTreeMap::new();
    for step in cell.measures().flat_map(|measures| &measures.sweep) {
        // The bits of floats that are not negative have the order of the floats.
        steps
            .entry(step.offered_per_s.max(0.0).to_bits())
            .or_default()
            .push(step);
    }
    steps
        .values()
        .filter_map(|steps| sweep_point(steps))
        .collect()
}

fn sweep_point(steps: &[&SweepStep]) -> Option<SweepPoint> {
    let median = |read: fn(&SweepStep) -> f64| {
        let figures: Vec<f64> = steps.iter().map(|step| read(step)).collect();
        median_interval(&figures, NOMINAL_CONFIDENCE).map(|interval| interval.point)
    };
    let by_generator = |step: &&&SweepStep| {
        step.late_share > LATE_SHARE_MAX || step.limited_by == Some(Limit::Generator)
    };
    Some(SweepPoint {
        offered_per_s: median(|step| step.offered_per_s)?,
        achieved_per_s: median(|step| step.achieved_per_s)?,
        p50_us: median(|step| step.latency.p50_us)?,
        p99_us: median(|step| step.latency.p99_us)?,
        late_share: median(|step| step.late_share)?,
        generator_limited: 2 * steps.iter().filter(by_generator).count() >= steps.len(),
    })
}

/// Warnings of one cell that differ only in their figures.
struct Alike<'a> {
    words: String,
    /// The one whose first figure is the greatest.
    worst: &'a str,
    differ: bool,
    rounds: usize,
}

/// The warnings of all records in the order in which they came up, those that are alike as one.
fn warnings(cell: &Cell<'_>) -> Vec<String> {
    let mut kinds: Vec<Alike<'_>> = Vec::new();
    for warning in cell.records.iter().flat_map(|record| of_record(record)) {
        let words = without_figures(warning);
        match kinds.iter_mut().find(|known| known.words == words) {
            Some(known) => {
                known.rounds += 1;
                known.differ |= known.worst != warning;
                if first_figure(warning) > first_figure(known.worst) {
                    known.worst = warning;
                }
            }
            None => kinds.push(Alike {
                words,
                worst: warning,
                differ: false,
                rounds: 1,
            }),
        }
    }
    let all = cell.records.len();
    let say = |kind: Alike<'_>| match (kind.rounds == all, kind.differ) {
        (true, false) => kind.worst.to_owned(),
        (_, true) => format!(
            "{} (the worst of {} rounds of {all})",
            kind.worst, kind.rounds
        ),
        (false, false) => format!("{} (in {} of {all} rounds)", kind.worst, kind.rounds),
    };
    kinds.into_iter().map(say).collect()
}

/// The warnings of one record, each once.
fn of_record(record: &RunRecord) -> BTreeSet<&str> {
    let measured = record.measures.iter().flat_map(|m| &m.warnings);
    let all = record.warnings.iter().chain(measured);
    all.map(String::as_str).collect()
}

/// The sentence with a sign in place of each number.
fn without_figures(sentence: &str) -> String {
    let mut kind = String::with_capacity(sentence.len());
    for character in sentence.chars() {
        if !character.is_ascii_digit() {
            kind.push(character);
        } else if !kind.ends_with('#') {
            kind.push('#');
        }
    }
    kind
}

/// The first number of a sentence; 0 when there is none.
fn first_figure(sentence: &str) -> f64 {
    let from = sentence.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let number = &sentence[from..];
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.');
    number[..end.unwrap_or(number.len())].parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_differ_only_in_figures_when_their_words_are_the_same() {
        assert_eq!(
            without_figures("5.6 % waited 1 ms"),
            without_figures("33.06 % waited 1 ms")
        );
        assert_ne!(
            without_figures("5.6 % waited"),
            without_figures("5.6 % left")
        );
        assert_eq!(first_figure("of them 33.5 % waited 1 ms"), 33.5);
        assert_eq!(first_figure("none"), 0.0);
        assert_eq!(first_figure("at 127.0.0.1 it"), 0.0);
    }
}
