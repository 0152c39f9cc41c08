//! The published claims: what echo and http ask for can be measured, and what a host of two
//! processors cannot decide says so.

use std::collections::BTreeSet;

use ringside_contract::{Claim, RunRecord, Verdict};
use ringside_judge::{convert, metric, read_claims};

use crate::common::{cell, judged};

/// The claims of the families that are built.
fn built() -> Vec<Claim> {
    let text = include_str!("../../../../datasets/claims.csv");
    let claims = read_claims(text, "datasets/claims.csv").unwrap();
    let families = ["echo", "http"];
    claims
        .into_iter()
        .filter(|claim| families.contains(&claim.scenario.id.family.as_str()))
        .collect()
}

/// Parameters that are left out of canonical names.
const DEFAULTS: [(&str, &str); 5] = [
    ("size", "1KiB"),
    ("size", "64B"),
    ("qos", "0"),
    ("slow", "1"),
    ("subscribers", "1000"),
];

/// Eight rounds of every cell that the claims name, as their canonical names without defaults.
fn every_cell(claims: &[Claim]) -> Vec<RunRecord> {
    let named: BTreeSet<_> = claims
        .iter()
        .flat_map(|claim| {
            let baseline = claim.baseline.iter();
            let baseline = baseline.map(|name| (claim.baseline_scenario(), name));
            let compared = baseline.chain([(claim.scenario.clone(), &claim.candidate)]);
            compared.map(|(mut scenario, implementation)| {
                let is_default = |(key, value): (&str, &str)| DEFAULTS.contains(&(key, value));
                scenario
                    .params
                    .0
                    .retain(|key, value| !is_default((key, value)));
                (scenario.to_string(), implementation.to_string())
            })
        })
        .collect();
    let mut records: Vec<_> = named
        .iter()
        .flat_map(|(scenario, name)| cell(scenario, name, 8, 50_000.0))
        .collect();
    for record in records
        .iter_mut()
        .filter(|record| record.scenario.id.family == "echo")
    {
        record.params.set("size", "64B");
    }
    records
}

#[test]
fn every_metric_is_known_and_turns_into_the_unit_of_its_claim() {
    for claim in built() {
        if claim.metric == "cpu_copies" {
            continue;
        }
        let metric =
            metric(&claim.metric).unwrap_or_else(|| panic!("{}: {}", claim.id, claim.metric));
        let unit = if claim.baseline.is_some() {
            "ratio"
        } else {
            metric.unit
        };
        assert!(
            convert(unit, &claim.unit).is_some(),
            "{}: {unit} into {}",
            claim.id,
            claim.unit
        );
    }
}

#[test]
fn a_host_of_two_processors_decides_what_it_can() {
    let claims = built();
    let judgements = judged(every_cell(&claims), &claims).judgements;
    let elsewhere: Vec<_> = judgements
        .iter()
        .filter(|judgement| matches!(judgement.verdict, Verdict::NotHere { .. }))
        .map(|judgement| judgement.claim.id.as_str())
        .collect();
    assert_eq!(
        elsewhere,
        [
            "send-sendfile-copies",
            "send-splice",
            "send-zerocopy-msg",
            "http-uring-rate",
            "http-epoll-rate",
            "http-uring-latency",
            "http-tokio-enough",
            "percore-gain",
        ]
    );
    for judgement in judgements {
        let decided = matches!(
            judgement.verdict,
            Verdict::Met { .. } | Verdict::Missed { .. } | Verdict::NotHere { .. }
        );
        assert!(decided, "{}: {:?}", judgement.claim.id, judgement.verdict);
    }
}

#[test]
fn every_goal_is_judged_once_its_cells_are_measured() {
    let text = include_str!("../../../../datasets/goals.csv");
    let goals = read_claims(text, "datasets/goals.csv").unwrap();
    let mut records = every_cell(&goals);
    for record in &mut records {
        for (axis, value) in record.implementation.axes.iter() {
            record.axes.set(axis, value);
        }
        if record.scenario.id.family == "mqtt" {
            for (name, value) in &DEFAULTS[1..] {
                let given = record.scenario.params.value(name);
                record.params.set(name, given.unwrap_or(value));
            }
        }
        for (family, name, default) in [("map", "threads", "1"), ("hash", "key", "64B")] {
            if record.scenario.id.family == family {
                let given = record.scenario.params.value(name);
                record.params.set(name, given.unwrap_or(default));
            }
        }
        if let Some(measures) = &mut record.measures {
            measures.offered = measures.operations;
        }
    }
    let verdicts = judged(records, &goals);
    for judgement in &verdicts.judgements {
        let id = &judgement.claim.id;
        assert!(judgement.claim.is_goal(), "{id}");
        assert!(
            judgement.measured.is_some(),
            "{id}: {:?}",
            judgement.verdict
        );
    }
    assert_eq!(verdicts.contradictions, []);
    assert!(built().iter().all(|claim| !claim.is_goal()));
}
