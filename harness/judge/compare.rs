//! Two runs side by side. The host changed in between, so the ratio of their figures decides nothing:
//! it is for looking, and everything here says so.

use std::collections::BTreeMap;

use ringside_contract::{ImplementationSpec, Interval, ScenarioSpec};
use serde::{Deserialize, Serialize};

use crate::Records;
use crate::index::{Cell, Index};
use crate::metrics::metrics;
use crate::pairing::summary;

/// One metric of one cell in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellComparison {
    /// The scenario.
    pub scenario: ScenarioSpec,
    /// The implementation.
    pub implementation: ImplementationSpec,
    /// The metric.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// True when more is better.
    pub more_is_better: bool,
    /// In the first run; `None` when it has no such figure.
    pub first: Option<Interval>,
    /// In the second run.
    pub second: Option<Interval>,
    /// Second median over first, where both are and the first is not 0.
    pub ratio: Option<f64>,
}

/// Two runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunComparison {
    /// Always `not for verdicts`, with the reason.
    pub label: String,
    /// Name of the first run.
    pub first_run: String,
    /// Name of the second run.
    pub second_run: String,
    /// What differs between the two besides their time, such as the commit.
    pub differences: Vec<String>,
    /// The cells of both, by scenario, implementation and the order of the metrics.
    pub cells: Vec<CellComparison>,
}

/// Puts two runs side by side.
pub fn compare_runs(first: &Records, second: &Records) -> RunComparison {
    let (left, right) = (
        Index::new(&first.records, None),
        Index::new(&second.records, None),
    );
    let mut cells: BTreeMap<_, (Option<&Cell<'_>>, Option<&Cell<'_>>)> = BTreeMap::new();
    for cell in left.first_copies() {
        cells
            .entry((cell.scenario, cell.implementation))
            .or_default()
            .0 = Some(cell);
    }
    for cell in right.first_copies() {
        cells
            .entry((cell.scenario, cell.implementation))
            .or_default()
            .1 = Some(cell);
    }
    let run = |records: &Records| {
        records
            .records
            .first()
            .map_or_else(String::new, |r| r.run.clone())
    };
    RunComparison {
        label: "not for verdicts: the host may have changed between the two runs".to_owned(),
        first_run: run(first),
        second_run: run(second),
        differences: differences(first, second),
        cells: cells
            .into_iter()
            .flat_map(|(key, sides)| compare_cell(key, sides))
            .collect(),
    }
}

fn compare_cell(
    (scenario, implementation): (&ScenarioSpec, &ImplementationSpec),
    (first, second): (Option<&Cell<'_>>, Option<&Cell<'_>>),
) -> Vec<CellComparison> {
    let compare = |metric: &crate::Metric| {
        let figure = |cell: Option<&Cell<'_>>| cell.and_then(|cell| summary(cell, metric));
        let (first, second) = (figure(first), figure(second));
        if first.is_none() && second.is_none() {
            return None;
        }
        let ratio = first
            .zip(second)
            .map(|(first, second)| second.point / first.point);
        Some(CellComparison {
            scenario: scenario.clone(),
            implementation: implementation.clone(),
            metric: metric.name.to_owned(),
            unit: metric.unit.to_owned(),
            more_is_better: metric.more_is_better,
            first,
            second,
            ratio: ratio.filter(|ratio| ratio.is_finite()),
        })
    };
    metrics().iter().filter_map(compare).collect()
}

fn differences(first: &Records, second: &Records) -> Vec<String> {
    let (Some(first), Some(second)) = (first.records.first(), second.records.first()) else {
        return vec!["one of the runs has no records".to_owned()];
    };
    let cores = |record: &ringside_contract::RunRecord| record.host.cpus.len().to_string();
    let facts = [
        (
            "commit",
            first.build.commit.clone(),
            second.build.commit.clone(),
        ),
        (
            "compiler",
            first.build.rustc.clone(),
            second.build.rustc.clone(),
        ),
        (
            "build flags",
            first.build.flags.clone(),
            second.build.flags.clone(),
        ),
        (
            "profile",
            first.build.profile.clone(),
            second.build.profile.clone(),
        ),
        (
            "kernel",
            first.host.kernel.clone(),
            second.host.kernel.clone(),
        ),
        (
            "processor",
            first.host.processor.clone(),
            second.host.processor.clone(),
        ),
        ("cores", cores(first), cores(second)),
    ];
    let differing = facts
        .into_iter()
        .filter(|(_, first, second)| first != second);
    differing
        .map(|(what, first, second)| format!("{what}: {first} and {second}"))
        .collect()
}
