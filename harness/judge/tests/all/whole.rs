//! A whole run: rankings, controls, trust, and what is written.

use crate::common::{cell, claim, histogram, idle, judged, record, with};
use proptest::prelude::*;
use ringside_contract::{CheckState, Latency, Limit, Mark, Measures, RunRecord, Status, Verdicts};
use ringside_judge::{Records, compare_runs, csv_export};

const SMALL: &str = "http/small{connections=400}";

/// The marks of the only ranking, in its order.
fn check_ranking(records: Vec<RunRecord>, metric: &str, expected: &[(&str, &str)]) -> Verdicts {
    let verdicts = judged(records, &[]);
    let ranking = &verdicts.rankings[0];
    assert_eq!(ranking.metric, metric);
    let word = |mark: &Mark| match mark {
        Mark::Best => "best",
        Mark::Level => "level",
        Mark::Behind => "behind",
        Mark::Undecided { .. } => "undecided",
        Mark::Floor => "floor",
        Mark::Invalid { .. } => "invalid",
        Mark::Unsupported { .. } => "unsupported",
    };
    let marks: Vec<_> = ranking
        .cells
        .iter()
        .map(|cell| (cell.implementation.to_string(), word(&cell.mark)))
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, mark)| ((*name).to_owned(), *mark))
        .collect();
    assert_eq!(marks, expected);
    verdicts
}

fn cells(list: &[(&str, f64)], rounds: u32) -> Vec<RunRecord> {
    list.iter()
        .flat_map(|(name, throughput)| cell(SMALL, name, rounds, *throughput))
        .collect()
}

#[test]
fn best_level_behind_floor_invalid_and_unsupported() {
    let mut records = cells(
        &[
            ("http/epoll", 1000.0),
            ("http/uring", 1500.0),
            ("http/tokio", 1490.0),
            ("http/floor", 1600.0),
        ],
        8,
    );
    records.extend(with(cell(SMALL, "http/nginx", 8, 1200.0), |m| {
        idle(m, Limit::Neither);
    }));
    let mut skipped = record(SMALL, "http/per_core_epoll", 0, Measures::default());
    skipped.status = Status::Skipped {
        reason: "it needs 4 cores".to_owned(),
    };
    skipped.measures = None;
    records.push(skipped);
    let verdicts = check_ranking(
        records,
        "operations_per_cpu_s",
        &[
            ("http/uring", "best"),
            ("http/tokio", "level"),
            ("http/nginx", "undecided"),
            ("http/epoll", "behind"),
            ("http/floor", "floor"),
            ("http/per_core_epoll", "unsupported"),
        ],
    );
    let relative = verdicts.rankings[0].cells[2].relative.unwrap();
    assert!(
        relative.low <= relative.point && relative.high < 1.0,
        "{relative:?}"
    );
    let bounds: Vec<_> = verdicts.rankings[0]
        .cells
        .iter()
        .filter(|cell| cell.bound)
        .map(|cell| cell.implementation.to_string())
        .collect();
    assert_eq!(bounds, ["http/nginx"]);
    assert_eq!(verdicts.skipped.len(), 1);
    assert_eq!(verdicts.skipped[0].reason, "it needs 4 cores");
}

#[test]
fn what_an_interval_leaves_open_is_not_level() {
    let mut records = cell(SMALL, "http/epoll", 8, 1000.0);
    for round in 0..8 {
        let rate = if round % 2 == 0 { 740.0 } else { 1040.0 };
        records.push(record(
            SMALL,
            "http/uring",
            round,
            crate::common::measures(rate),
        ));
    }
    let expected = [("http/epoll", "best"), ("http/uring", "undecided")];
    let verdicts = check_ranking(records, "operations_per_cpu_s", &expected);
    let Mark::Undecided { because } = &verdicts.rankings[0].cells[1].mark else {
        panic!("{verdicts:?}")
    };
    assert!(
        because.contains("not told apart from the best"),
        "{because}"
    );
}

#[test]
fn only_comparable_figures_are_without_doubt() {
    let of = |change: fn(&mut Measures)| {
        let records = with(cell(SMALL, "http/epoll", 8, 1000.0), change);
        let metric = ringside_judge::metric("operations_per_cpu_s").unwrap();
        ringside_judge::doubt(&records, &"http/epoll".parse().unwrap(), 0, metric)
    };
    assert_eq!(of(|_| {}), None);
    let doubted = |change: fn(&mut Measures), because: &str| {
        let doubt = of(change).unwrap();
        assert!(doubt.contains(because), "{doubt}");
    };
    doubted(|m| idle(m, Limit::Generator), "was not saturated");
    doubted(|m| idle(m, Limit::Neither), "was not saturated");
    doubted(|m| m.errors = 100, "failed");
}

#[test]
fn too_few_rounds_rank_nothing_and_say_so() {
    for (rounds, because) in [
        (1, "1 round: too few to rank, 6 are needed"),
        (5, "5 rounds: too few to rank, 6 are needed"),
    ] {
        let records = cells(&[("http/epoll", 570.0), ("http/uring", 1500.0)], rounds);
        let expected = [("http/uring", "undecided"), ("http/epoll", "undecided")];
        let verdicts = check_ranking(records, "operations_per_cpu_s", &expected);
        for cell in &verdicts.rankings[0].cells {
            let because = because.to_owned();
            assert_eq!(cell.mark, Mark::Undecided { because });
            assert!(cell.figure.is_some());
        }
    }
    let records = cells(&[("http/epoll", 570.0), ("http/uring", 1500.0)], 6);
    let expected = [("http/uring", "best"), ("http/epoll", "behind")];
    check_ranking(records, "operations_per_cpu_s", &expected);
}

#[test]
fn unsaturated_servers_rank_by_throughput_and_open_loops_by_latency() {
    let half = with(
        cells(&[("http/epoll", 1000.0), ("http/uring", 1500.0)], 8),
        |measures| {
            idle(measures, Limit::Neither);
        },
    );
    check_ranking(
        half,
        "throughput",
        &[("http/uring", "best"), ("http/epoll", "behind")],
    );
    let open = "http/small{load=open}";
    let mut records = cell(open, "http/epoll", 8, 1000.0);
    records.extend(cell(open, "http/uring", 8, 1500.0));
    check_ranking(
        records,
        "latency_p99",
        &[("http/uring", "best"), ("http/epoll", "behind")],
    );
}

#[test]
fn what_is_asked_of_memory_ranks_by_memory_in_an_open_loop_too_and_late_sends_do_not_matter() {
    let hold = "mqtt/hold{load=open}";
    let late = |name: &str, rss_bytes: u64| {
        with(cell(hold, name, 8, 1000.0), |m| {
            (m.offered, m.late_sends) = (1000, 30);
            m.connections = 100;
            let server = m.server.as_mut().unwrap();
            (server.rss_before_bytes, server.rss_bytes) = (0, rss_bytes);
        })
    };
    let mut records = late("mqtt/epoll", 2 << 20);
    records.extend(late("mqtt/uring", 1 << 20));
    check_ranking(
        records,
        "memory_per_connection",
        &[("mqtt/uring", "best"), ("mqtt/epoll", "behind")],
    );
}

#[test]
fn a_figure_that_is_only_a_bound_may_lead_and_never_be_behind() {
    let limited = |name: &str, throughput| {
        with(cell(SMALL, name, 8, throughput), |m| {
            idle(m, Limit::Generator);
        })
    };
    let mut records = cells(&[("http/epoll", 1000.0), ("http/per_core_epoll", 900.0)], 8);
    records.extend(limited("http/uring", 1500.0));
    records.extend(limited("http/tokio", 1200.0));
    let expected = [
        ("http/uring", "best"),
        ("http/tokio", "undecided"),
        ("http/epoll", "behind"),
        ("http/per_core_epoll", "behind"),
    ];
    let verdicts = check_ranking(records, "operations_per_cpu_s", &expected);
    let uring = verdicts
        .cells
        .iter()
        .find(|cell| cell.implementation.id.name == "uring")
        .unwrap();
    assert!(
        uring
            .warnings
            .iter()
            .any(|warning| warning.contains("lower bounds"))
    );
    assert!(verdicts.trust.iter().any(|check| {
        check.state == CheckState::Warning && check.sentence.contains("by the generator in 2")
    }));
}

/// Two copies of one implementation, apart by `difference` in turn.
fn copies(rounds: u32, difference: impl Fn(u32) -> f64) -> Vec<RunRecord> {
    let mut records = cell("echo/small", "echo/epoll", rounds, 1000.0);
    for round in 0..rounds {
        let throughput = records[round as usize]
            .measures
            .as_ref()
            .unwrap()
            .throughput_per_s;
        let measures = crate::common::measures(throughput * (1.0 + difference(round)));
        let mut second = record("echo/small", "echo/epoll", round, measures);
        second.replica = 1;
        second.position = (round + 1) % 2;
        records.push(second);
    }
    records
}

#[test]
fn an_implementation_against_itself() {
    let fair = judged(
        copies(20, |round| if round % 2 == 0 { 0.01 } else { -0.01 }),
        &[],
    );
    let control = &fair.controls[0];
    assert_eq!(
        (control.metric.as_str(), control.ratio.samples),
        ("throughput", 20)
    );
    assert!(
        control.ratio.low < 1.0 && control.ratio.high > 1.0,
        "{:?}",
        control.ratio
    );
    assert!(control.coverage.unwrap() > 97.0);
    // The second copy is neither a cell nor a rank of its own.
    assert_eq!((fair.cells.len(), fair.rankings.len()), (1, 0));
    let biased = judged(copies(20, |_| 0.05), &[]);
    assert_eq!(biased.controls[0].coverage, Some(0.0));
    assert!(biased.trust.iter().any(|check| {
        check.state == CheckState::Warning
            && check.sentence.contains("1 told two equal things apart")
    }));
}

#[test]
fn cells_hold_curve_failures_and_warnings_once() {
    let mut records = with(cell(SMALL, "http/epoll", 8, 1000.0), |measures| {
        measures.warnings = vec!["no counters".to_owned()];
        measures.latency = Some(Latency {
            histogram: histogram(1_000_000, 9),
            ..measures.latency.clone().unwrap()
        });
    });
    for (round, warning) in [
        (1, "0.5 % waited"),
        (2, "3.5 % waited"),
        (3, "1.0 % waited"),
        (4, "odd"),
    ] {
        records[round].warnings.push(warning.to_owned());
    }
    records[7].status = Status::Failed {
        because: "the server hung".to_owned(),
        stderr: "panic".to_owned(),
    };
    let verdicts = judged(records, &[]);
    let cell = &verdicts.cells[0];
    assert_eq!((cell.rounds, cell.failures.len()), (7, 1));
    assert!(cell.invalid.as_ref().unwrap().contains("the server hung"));
    assert_eq!(
        cell.warnings,
        [
            "no counters",
            "3.5 % waited (the worst of 3 rounds of 8)",
            "odd (in 1 of 8 rounds)"
        ]
    );
    assert!(cell.curve.len() > 30);
    assert!(
        cell.curve
            .windows(2)
            .all(|pair| pair[0].latency_us <= pair[1].latency_us)
    );
    assert!(cell.curve.iter().all(|point| point.low_us <= point.high_us));
    assert_eq!(cell.metrics["throughput"].unit, "op/s");
}

#[test]
fn sweeps_are_medians_by_offered_rate() {
    let step = |offered: f64, p99: f64| ringside_contract::SweepStep {
        offered_per_s: offered,
        achieved_per_s: offered,
        late_share: 0.0,
        latency: Latency {
            p50_us: p99 / 2.0,
            p99_us: p99,
            ..Latency::default()
        },
        server_cpu_ns_per_op: 1.0,
        limited_by: None,
    };
    let records = (0..3).map(|round| {
        let mut measures = crate::common::measures(1000.0);
        let p99 = 100.0 + f64::from(round);
        measures.sweep = vec![step(1000.0, p99), step(2000.0, 2.0 * p99)];
        record("http/small{load=sweep}", "http/epoll", round, measures)
    });
    let verdicts = judged(records.collect(), &[]);
    let sweep = &verdicts.cells[0].sweep;
    assert_eq!(sweep.len(), 2);
    assert_eq!((sweep[0].offered_per_s, sweep[0].p99_us), (1000.0, 101.0));
    assert_eq!((sweep[1].offered_per_s, sweep[1].p99_us), (2000.0, 202.0));
    assert!(verdicts.rankings.is_empty());
}

#[test]
fn same_records_give_the_same_bytes() {
    let claims = [claim(
        "gain;promise;http/small;connections=400;throughput;ratio;http/epoll;http/uring;ratio;2;3;",
    )];
    let records = || {
        let mut records = cells(&[("http/epoll", 1000.0), ("http/uring", 2500.0)], 8);
        records.extend(copies(9, |round| f64::from(round) / 1000.0 - 0.004));
        records
    };
    let write = |records| serde_json::to_string(&judged(records, &claims)).unwrap();
    let first = write(records());
    assert!(
        first == write(records()),
        "two judgements of the same records differ"
    );
    assert!(serde_json::from_str::<Verdicts>(&first).is_ok());
}

#[test]
fn a_run_without_records_is_judged_too() {
    let verdicts = judged(Vec::new(), &[]);
    assert_eq!(verdicts.run.records, 0);
    assert!(
        verdicts
            .trust
            .iter()
            .all(|check| check.state == CheckState::Warning)
    );
}

#[test]
fn export_names_units_and_leaves_unmeasured_fields_empty() {
    let mut records = cell(SMALL, "http/epoll", 2, 1000.0);
    records[1].status = Status::Failed {
        because: "a \"bad\", end".to_owned(),
        stderr: String::new(),
    };
    records[1].measures = None;
    let text = csv_export(&records);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].contains("latency_p99 (us)") && lines[0].contains("bandwidth (GB/s)"),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains(",completed,") && lines[1].contains("http/small{connections=400}"));
    assert!(
        lines[2].contains("\"a \"\"bad\"\", end\"") && lines[2].ends_with(",,,"),
        "{}",
        lines[2]
    );
}

#[test]
fn two_runs_stand_side_by_side_and_decide_nothing() {
    let run = |throughput, commit: &str| {
        let mut records = cell(SMALL, "http/epoll", 8, throughput);
        records
            .iter_mut()
            .for_each(|record| record.build.commit = commit.to_owned());
        Records {
            records,
            warnings: Vec::new(),
        }
    };
    let comparison = compare_runs(&run(1000.0, "a"), &run(1500.0, "b"));
    assert!(comparison.label.starts_with("not for verdicts"));
    assert_eq!(comparison.differences, ["commit: a and b"]);
    let throughput = comparison
        .cells
        .iter()
        .find(|cell| cell.metric == "throughput")
        .unwrap();
    assert!((throughput.ratio.unwrap() - 1.5).abs() < 1e-9);
    let alone = compare_runs(&run(1000.0, "a"), &Records::default());
    assert!(
        alone
            .cells
            .iter()
            .all(|cell| cell.second.is_none() && cell.ratio.is_none())
    );
}

/// Figures as a block may give them, the useless ones included.
fn any_figure() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1e-300), 1.0..1e7f64, Just(1e300)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// JSON has no infinities: what cannot be computed must be left out, or the report cannot read it.
    #[test]
    fn verdicts_of_any_figures_are_finite(
        figures in prop::collection::vec((any_figure(), any_figure(), 0..3_u64, any::<bool>()), 0..40)
    ) {
        let names = ["http/epoll", "http/uring", "http/floor"];
        let records = figures.iter().enumerate().map(|(index, (rate, latency, bad, open))| {
            let mut measures = common_measures(*rate, *latency);
            measures.corrupt = *bad;
            measures.offered = 1000 * bad;
            let scenario = if *open { "http/small{load=open}" } else { "http/small" };
            let mut record = record(scenario, names[index % 3], index as u32 / 6, measures);
            record.replica = u8::from(index % 6 > 2);
            record
        });
        let claims = ["ratio", "ratio_time", "reduction"].map(|kind| {
            claim(&format!("a;promise;http/small;;latency_p50;ratio;http/epoll;http/uring;{kind};0;;"))
        });
        let text = serde_json::to_string(&judged(records.collect(), &claims)).unwrap();
        prop_assert!(serde_json::from_str::<Verdicts>(&text).is_ok(), "{text}");
    }
}

fn common_measures(rate: f64, latency: f64) -> Measures {
    let mut measures = crate::common::measures(1000.0);
    measures.throughput_per_s = rate;
    measures.latency = Some(Latency {
        p50_us: latency,
        p99_us: latency,
        ..Latency::default()
    });
    measures
}
