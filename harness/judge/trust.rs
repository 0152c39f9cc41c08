//! Can I trust this run: what a reader relies on, each with its figures.

use std::collections::{BTreeMap, BTreeSet};

use ringside_contract::{Check, CheckState, Limit, RunRecord, SelfControl};

use crate::figure::{figure, percent};
use crate::index::{Cell, Index, LATE_SHARE_MAX};

/// Steal above this is named: 1 % moves a rate by about as much.
const STEAL_SHARE_MAX: f64 = 0.01;

/// Pressure on the processors above this in the median block is a warning.
const PRESSURE_SHARE_MAX: f64 = 0.5;

/// Widest interval of an implementation against itself that passes.
const SELF_WIDTH_MAX: f64 = 0.04;

/// Trials of 100 in which an interval of an implementation against itself has to hold 1.
const COVERAGE_MIN: f64 = 93.0;

/// Every check, in the order of the page.
pub(crate) fn checks(
    index: &Index<'_>,
    records: &[RunRecord],
    controls: &[SelfControl],
) -> Vec<Check> {
    if records.is_empty() {
        return vec![warning(
            "No record was read, so nothing here rests on a measurement.".to_owned(),
        )];
    }
    let mut checks = vec![
        latency_origin(index),
        late_sends(index),
        answers(index),
        interleaving(index),
        limits(index),
        generator_cores(records),
        steal(records),
        pressure(records),
    ];
    checks.extend(placement(records));
    checks.extend(governor(records));
    checks.push(self_comparison(controls));
    checks.extend(alignment(records));
    checks
}

fn ok(sentence: String) -> Check {
    Check {
        state: CheckState::Ok,
        sentence,
    }
}

fn warning(sentence: String) -> Check {
    Check {
        state: CheckState::Warning,
        sentence,
    }
}

fn ok_if(good: bool, sentence: String) -> Check {
    if good {
        ok(sentence)
    } else {
        warning(sentence)
    }
}

fn latency_origin(index: &Index<'_>) -> Check {
    let count = |load: &str| {
        index
            .first_copies()
            .filter(|cell| cell.load() == load)
            .count()
    };
    let (open, sweep, closed) = (count("open"), count("sweep"), count("closed"));
    ok(format!(
        "Latency counts from the intended send time in {open} open-loop cells at one rate and in {sweep} sweeps \
         over rates; {closed} closed-loop cells measure capacity, and their latency is queueing."
    ))
}

fn late_sends(index: &Index<'_>) -> Check {
    let cells = index
        .first_copies()
        .filter(|cell| cell.load() == "open" && !cell.rounds.is_empty());
    let shares: Vec<_> = cells.map(|cell| (cell.late_share(), cell.name())).collect();
    let late = shares
        .iter()
        .filter(|(share, _)| *share > LATE_SHARE_MAX)
        .count();
    match shares
        .iter()
        .max_by(|left, right| left.0.total_cmp(&right.0))
    {
        None => ok(
            "No open-loop cell at one rate was measured; late sends of sweeps stand beside their steps."
                .to_owned(),
        ),
        Some((worst, name)) => ok_if(
            late == 0,
            format!(
                "{late} of {} open-loop cells at one rate had more than 1 % late sends; the most were {} in {name}.",
                shares.len(),
                percent(*worst)
            ),
        ),
    }
}

fn answers(index: &Index<'_>) -> Check {
    let sum = |read: fn(&ringside_contract::Measures) -> u64| -> u64 {
        index.cells.iter().flat_map(Cell::measures).map(read).sum()
    };
    let (operations, corrupt) = (sum(|m| m.operations), sum(|m| m.corrupt));
    let (errors, timeouts) = (sum(|m| m.errors), sum(|m| m.timeouts));
    let failures: usize = index.cells.iter().map(|cell| cell.failures.len()).sum();
    ok_if(
        corrupt + errors + timeouts == 0 && failures == 0,
        format!(
            "Of {operations} operations {errors} ended in an error, {timeouts} ran out of time and {corrupt} \
             were answered wrongly; {failures} blocks failed."
        ),
    )
}

/// Rounds alternate when no group ran one cell's blocks all before another's.
fn interleaving(index: &Index<'_>) -> Check {
    let blocks = index.cells.iter().flat_map(|cell| cell.rounds.keys());
    let rounds: BTreeSet<_> = blocks.clone().collect();
    let groups: BTreeSet<u32> = rounds.iter().map(|(group, _)| *group).collect();
    // The order is the places of all cells of a group in one round.
    let mut orders: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
    for cell in &index.cells {
        for (key, (record, _)) in &cell.rounds {
            orders.entry(*key).or_default().push(record.position);
        }
    }
    let moved = groups.iter().any(|group| {
        let of_group = orders.iter().filter(|((of, _), _)| of == group);
        of_group
            .map(|(_, order)| order)
            .collect::<BTreeSet<_>>()
            .len()
            > 1
    });
    let most = |group: u32| {
        let of_group = orders.iter().filter(|((of, _), _)| *of == group);
        of_group.map(|(_, order)| order.len()).max().unwrap_or(0)
    };
    let uneven = orders
        .iter()
        .filter(|((group, _), order)| order.len() < most(*group))
        .count();
    let single = rounds.len() == groups.len();
    ok_if(
        moved && !single && uneven == 0,
        format!(
            "{} blocks in {} rounds of {} groups: {}.",
            blocks.count(),
            rounds.len(),
            groups.len(),
            if single {
                "one round each, so nothing could be interleaved and no interval is given"
                    .to_owned()
            } else if moved && uneven == 0 {
                "in each round every cell of its group ran once, in fresh processes, and the order changed \
                 between rounds"
                    .to_owned()
            } else if moved {
                format!(
                    "the order changed between rounds, but {uneven} rounds lack cells of their group"
                )
            } else {
                "the order of the cells was the same in every round".to_owned()
            }
        ),
    )
}

fn limits(index: &Index<'_>) -> Check {
    let count = |limit| {
        let closed = index.first_copies().filter(|cell| cell.load() == "closed");
        closed
            .filter(|cell| cell.limited_by() == Some(limit))
            .count()
    };
    let (server, generator, neither) = (
        count(Limit::Server),
        count(Limit::Generator),
        count(Limit::Neither),
    );
    ok_if(
        generator == 0,
        format!(
            "Closed-loop cells were limited by the server in {server}, by the generator in {generator} and by \
             neither in {neither}; a rate that its generator limited decides nothing against a server."
        ),
    )
}

fn generator_cores(records: &[RunRecord]) -> Check {
    let shared = records
        .iter()
        .filter(|record| record.placement.shared)
        .count();
    ok_if(
        shared == 0,
        if shared == 0 {
            "The load generator had cores of its own in every block.".to_owned()
        } else {
            format!(
                "The load generator shared a core with the server in {shared} of {} blocks.",
                records.len()
            )
        },
    )
}

fn steal(records: &[RunRecord]) -> Check {
    let shares = measured(records, |measures| Some(measures.system.steal_share));
    let (median, worst) = median_and_worst(shares);
    ok_if(
        worst <= STEAL_SHARE_MAX,
        format!(
            "The hypervisor took {} of the processor time in the median block and {} in the worst.",
            percent(median),
            percent(worst)
        ),
    )
}

fn pressure(records: &[RunRecord]) -> Check {
    let shares = measured(records, |measures| measures.system.pressure_cpu);
    let load = records
        .iter()
        .filter_map(|record| record.measures.as_ref())
        .map(|m| m.system.load_before);
    let load = load.fold(0.0, f64::max);
    if shares.is_empty() {
        return warning(format!(
            "The kernel tells no pressure on the processors; the load before a block was at most {}.",
            figure(load)
        ));
    }
    let (median, worst) = median_and_worst(shares);
    let cores = records.first().map_or(0, |record| record.host.cpus.len());
    let quiet = load <= cores as f64 / 2.0 && median <= PRESSURE_SHARE_MAX;
    ok_if(
        quiet,
        format!(
            "Some task waited for a processor in {} of the median block and {} of the worst (this counts the \
         servers and the generator too); the load before a block was at most {}.",
            percent(median),
            percent(worst),
            figure(load)
        ),
    )
}

fn placement(records: &[RunRecord]) -> Option<Check> {
    let record = records.first()?;
    let list = |cpus: &[usize]| {
        cpus.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Some(ok(format!(
        "Servers ran on processors {}, the generator on {}.",
        list(&record.placement.server_cpus),
        list(&record.placement.generator_cpus)
    )))
}

fn governor(records: &[RunRecord]) -> Option<Check> {
    let host = &records.first()?.host;
    host.virtualisation.starts_with("virtual").then(|| {
        warning(format!(
            "This is a virtual machine ({}): frequency and neighbours cannot be seen, so only figures of the \
             same round compare.",
            host.virtualisation
        ))
    })
}

fn self_comparison(controls: &[SelfControl]) -> Check {
    let wrong = |control: &&SelfControl| control.ratio.low > 1.0 || control.ratio.high < 1.0;
    let width = SelfControl::width;
    let Some(widest) = controls
        .iter()
        .max_by(|left, right| width(left).total_cmp(&width(right)))
    else {
        return warning("No implementation was compared with itself in this plan.".to_owned());
    };
    let apart = controls.iter().filter(wrong).count();
    let coverage = controls
        .iter()
        .filter_map(|control| control.coverage)
        .reduce(f64::min);
    let covered = coverage.map_or_else(
        || "too few pairs to resample".to_owned(),
        |coverage| {
            format!(
                "the interval held 1 in at least {} of 100 resampled trials",
                figure(coverage)
            )
        },
    );
    let pairs = controls
        .iter()
        .map(|control| control.ratio.samples)
        .min()
        .unwrap_or(0);
    ok_if(
        apart == 0
            && width(widest) <= SELF_WIDTH_MAX
            && coverage.is_none_or(|share| share >= COVERAGE_MIN),
        format!(
            "{} comparisons of an implementation with itself, {pairs} or more process pairs each: {apart} told \
             two equal things apart; the widest interval is {} ({} {}, {}); {covered}.",
            controls.len(),
            percent(width(widest)),
            widest.scenario,
            widest.implementation,
            widest.metric
        ),
    )
}

fn alignment(records: &[RunRecord]) -> Vec<Check> {
    let items: BTreeSet<_> = records
        .iter()
        .flat_map(|record| {
            record
                .not_aligned
                .iter()
                .map(|item| (&record.implementation, item))
        })
        .collect();
    if items.is_empty() {
        return vec![ok(
            "Every server was asked for the same work; nothing was left unaligned.".to_owned(),
        )];
    }
    items
        .iter()
        .map(|(server, item)| warning(format!("Not aligned, {server}: {item}.")))
        .collect()
}

fn measured(
    records: &[RunRecord],
    read: fn(&ringside_contract::Measures) -> Option<f64>,
) -> Vec<f64> {
    records
        .iter()
        .filter_map(|record| record.measures.as_ref())
        .filter_map(read)
        .collect()
}

fn median_and_worst(mut figures: Vec<f64>) -> (f64, f64) {
    figures.sort_by(f64::total_cmp);
    let median = figures.get(figures.len() / 2).copied().unwrap_or(0.0);
    (median, figures.last().copied().unwrap_or(0.0))
}
