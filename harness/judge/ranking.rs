//! Which implementation to choose: the cells of a scenario, best first, each compared with the best
//! in the same rounds.

use std::collections::BTreeMap;

use ringside_contract::{Interval, Mark, RankedCell, Ranking, ScenarioSpec};

use crate::doubt::{only_a_bound, unfit};
use crate::index::{Cell, Index};
use crate::input::ScenarioInfo;
use crate::interval::SAMPLES_MIN;
use crate::metrics::{Metric, MetricClass, metric};
use crate::pairing::{mapped, ratio, reversed, summary};

/// Differences below this are not told apart: an implementation against itself differs by about as
/// much on a shared machine.
const TOLD_APART: f64 = 0.02;

/// Two are level only when the whole interval of their ratio is this close to 1. A wider one says that
/// they were not told apart, which is no statement that they are equal.
const LEVEL_WITHIN: f64 = 0.05;

/// A ranking of every scenario with two cells or more, in the order of the index. Sweeps are shown as curves and
/// have no single figure to rank by.
pub(crate) fn rankings(index: &Index<'_>, scenarios: &[ScenarioInfo]) -> Vec<Ranking> {
    let mut places: BTreeMap<&ScenarioSpec, usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Cell<'_>>> = Vec::new();
    for cell in index.first_copies().filter(|cell| cell.load() != "sweep") {
        let place = *places.entry(cell.scenario).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(cell),
            None => groups.push(vec![cell]),
        }
    }
    groups
        .iter()
        .filter(|cells| cells.len() > 1)
        .filter_map(|cells| ranking(cells, scenarios))
        .collect()
}

fn ranking(cells: &[&Cell<'_>], scenarios: &[ScenarioInfo]) -> Option<Ranking> {
    let scenario = cells.first()?.scenario;
    let info = scenarios.iter().find(|info| info.id == scenario.id);
    let metric = ranking_metric(cells, info)?;
    let mut entries: Vec<Entry<'_, '_>> =
        cells.iter().map(|cell| Entry::new(cell, metric)).collect();
    entries.sort_by(|left, right| left.order(right, metric));
    let best = entries
        .iter()
        .find(|entry| entry.standing == Standing::Ranked);
    let mut ranked: Vec<RankedCell> = entries
        .iter()
        .map(|entry| entry.ranked(best, metric))
        .collect();
    // Stable, so that the order by figure stays within each kind.
    ranked.sort_by_key(|cell| match cell.mark {
        Mark::Best | Mark::Level | Mark::Behind | Mark::Undecided { .. } => 0,
        Mark::Floor => 1,
        Mark::Invalid { .. } => 2,
        Mark::Unsupported { .. } => 3,
    });
    Some(Ranking {
        scenario: scenario.clone(),
        question: info.map_or_else(String::new, |info| info.question.clone()),
        metric: metric.name.to_owned(),
        unit: metric.unit.to_owned(),
        cells: ranked,
    })
}

/// The metric that the scenario names, where its load allows. An open loop fixes the rate, so that it ranks
/// by latency, unless the scenario asks for something else than speed, such as memory. Processor time compares only between saturated servers: where most are not, such as
/// with one connection, throughput ranks.
fn ranking_metric(cells: &[&Cell<'_>], info: Option<&ScenarioInfo>) -> Option<&'static Metric> {
    let wanted = info
        .and_then(|info| metric(&info.ranked_by))
        .or_else(|| metric("throughput"))?;
    if cells.iter().any(|cell| cell.load() == "open") {
        return match wanted.class {
            MetricClass::Latency | MetricClass::Other => Some(wanted),
            MetricClass::Rate | MetricClass::Processor => metric("latency_p99"),
        };
    }
    if wanted.class == MetricClass::Processor {
        let usable = cells
            .iter()
            .filter(|cell| cell.sample.ranked && cell.invalid().is_none());
        let full: Vec<_> = usable.map(|cell| cell.saturated()).collect();
        if full.iter().filter(|full| **full).count() * 2 < full.len() {
            return metric("throughput");
        }
    }
    Some(wanted)
}

/// Where a cell stands before it is compared, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Ranked,
    Floor,
    Invalid(String),
    Unsupported(String),
}

struct Entry<'i, 'a> {
    cell: &'i Cell<'a>,
    standing: Standing,
    figure: Option<Interval>,
    /// Why the cell may be better than its figure.
    bound: Option<String>,
}

impl<'i, 'a> Entry<'i, 'a> {
    fn new(cell: &'i Cell<'a>, metric: &Metric) -> Self {
        let figure = summary(cell, metric);
        let unusable = unfit(cell, metric);
        let standing = match (cell.skipped, unusable) {
            (Some(reason), _) if cell.rounds.is_empty() => Standing::Unsupported(reason.to_owned()),
            (_, Some(because)) => Standing::Invalid(because),
            _ if figure.is_none() => Standing::Invalid(format!("{} was not measured", metric.name)),
            _ if !cell.sample.ranked => Standing::Floor,
            _ => Standing::Ranked,
        };
        let bound = only_a_bound(cell, metric);
        Self {
            cell,
            standing,
            figure,
            bound,
        }
    }

    fn order(&self, other: &Self, metric: &Metric) -> std::cmp::Ordering {
        let rank = |standing: &Standing| match standing {
            Standing::Ranked => 0,
            Standing::Floor => 1,
            Standing::Invalid(_) => 2,
            Standing::Unsupported(_) => 3,
        };
        let point = |entry: &Self| entry.figure.map_or(f64::NAN, |figure| figure.point);
        let (mine, others) = (point(self), point(other));
        let by_figure = if metric.more_is_better {
            others.total_cmp(&mine)
        } else {
            mine.total_cmp(&others)
        };
        rank(&self.standing)
            .cmp(&rank(&other.standing))
            .then(by_figure)
            .then_with(|| self.cell.implementation.cmp(other.cell.implementation))
    }

    fn ranked(&self, best: Option<&Entry<'_, '_>>, metric: &Metric) -> RankedCell {
        let usable = matches!(self.standing, Standing::Ranked | Standing::Floor);
        let relative = best
            .filter(|_| usable)
            .and_then(|best| relative(self.cell, best.cell, metric));
        let mark = match &self.standing {
            Standing::Ranked => {
                let is_best = best.is_some_and(|best| std::ptr::eq(best.cell, self.cell));
                let best_is_bound = best.is_some_and(|best| best.bound.is_some());
                let bound = self.bound.as_deref();
                compared(is_best, relative.as_ref(), bound, best_is_bound)
            }
            Standing::Floor => Mark::Floor,
            Standing::Invalid(because) => Mark::Invalid {
                because: because.clone(),
            },
            Standing::Unsupported(reason) => Mark::Unsupported {
                reason: reason.clone(),
            },
        };
        RankedCell {
            implementation: self.cell.implementation.clone(),
            mark,
            relative,
            figure: self.figure,
            bound: usable && self.bound.is_some(),
        }
    }
}

/// Too few rounds put nothing behind anything, and make nothing level or best either: the mark says how
/// many there were. A cell whose figure is only a bound may be better than it: that it leads or is
/// not behind stands all the same, that it is behind or level does not; nor is anything level with a
/// best that may be better than its figure.
fn compared(
    is_best: bool,
    relative: Option<&Interval>,
    bound: Option<&str>,
    best_is_bound: bool,
) -> Mark {
    match (relative, bound) {
        (Some(relative), _) if relative.confidence == 0.0 => Mark::Undecided {
            because: too_few(relative.samples),
        },
        _ if is_best => Mark::Best,
        (Some(relative), None) if relative.high < 1.0 - TOLD_APART => Mark::Behind,
        (Some(relative), Some(because)) if relative.high < 1.0 - TOLD_APART => Mark::Undecided {
            because: because.to_owned(),
        },
        (Some(relative), _)
            if (relative.low - 1.0).abs().max((relative.high - 1.0).abs()) <= LEVEL_WITHIN =>
        {
            match bound {
                None if !best_is_bound => Mark::Level,
                Some(because) => Mark::Undecided {
                    because: because.to_owned(),
                },
                None => Mark::Undecided {
                    because: "the best's figure is only a bound, so nothing is level with it"
                        .to_owned(),
                },
            }
        }
        (Some(relative), _) => Mark::Undecided {
            because: format!(
                "{:.2} to {:.2}: not told apart from the best",
                relative.low, relative.high
            ),
        },
        (None, _) => Mark::Invalid {
            because: "it has no round in common with the best, or a figure of 0".to_owned(),
        },
    }
}

fn too_few(rounds: u32) -> String {
    let rounds = if rounds == 1 {
        "1 round".to_owned()
    } else {
        format!("{rounds} rounds")
    };
    format!("{rounds}: too few to rank, {SAMPLES_MIN} are needed")
}

/// Times as good as the best.
fn relative(cell: &Cell<'_>, best: &Cell<'_>, metric: &Metric) -> Option<Interval> {
    let ratio = ratio(cell, best, metric)?;
    let good = if metric.more_is_better {
        mapped(ratio, |ratio| ratio)
    } else {
        reversed(ratio, |ratio| 1.0 / ratio)
    };
    [good.low, good.point, good.high]
        .iter()
        .all(|value| value.is_finite())
        .then_some(good)
}
