//! What a verdict owes to the load behind its figures: its rate, its limit, its neighbours, its samples.

use crate::common::{cell, claim, idle, judged, with};
use crate::verdicts::{GAIN, RATE, SMALL, check, pair};
use ringside_contract::{Limit, Threads, Verdict};

#[test]
fn a_latency_kept_at_less_than_the_promised_rate_is_not_kept_yet() {
    let latency =
        claim("l;promise;http/small;connections=400;latency_p99;ms;;http/uring;at_most;;1;");
    let rate = claim(&RATE.replace("at_least;1000", "at_least;40000"));
    let at = |rate_per_s: &str, throughput| {
        let spec = format!("http/small{{connections=400,load=open,rate={rate_per_s}}}");
        let records = with(cell(&spec, "http/uring", 8, throughput), |m| {
            m.offered = 1000;
        });
        judged(records, &[latency.clone(), rate.clone()])
            .judgements
            .remove(0)
            .verdict
    };
    let easy = at("30000", 10_000.0);
    assert!(
        matches!(&easy, Verdict::Undecided { because } if because.contains("rate promises 40000/s")),
        "{easy:?}"
    );
    assert!(matches!(at("36000", 10_000.0), Verdict::Met { .. }));
    assert!(matches!(at("30000", 100.0), Verdict::Missed { .. }));
}

#[test]
fn other_programs_on_the_core_decide_nothing() {
    let beside = |foreign: f64| {
        with(pair(1.2, 8), move |measures| {
            let own = measures.server.as_ref().unwrap().cores_busy;
            measures.system.cpu_busy = vec![own + foreign, 0.5];
        })
    };
    check(GAIN, beside(0.1), "Missed", "");
    check(
        GAIN,
        beside(0.8),
        "Undecided",
        "other programs used 80.0 % of the server's core",
    );
    let memory = "m;promise;http/small;connections=400;peak_memory;MiB;;http/uring;at_most;;9;";
    check(memory, beside(0.8), "Met", "");
}

#[test]
fn threads_that_others_kept_from_their_cores_decide_nothing() {
    let kept_from = |taken_share: f64, threads: u32| {
        with(pair(1.2, 8), move |measures| {
            let cores = measures.server.as_ref().unwrap().cores;
            measures.threads = Some(Threads {
                threads: threads * cores as u32,
                // They wait for one another's locks, which is no disturbance.
                core_share: 0.6,
                taken_share: Some(taken_share),
                ..Threads::default()
            });
        })
    };
    check(GAIN, kept_from(0.04, 1), "Missed", "");
    let because = "others had the threads' cores for 6.00 % of the time";
    check(GAIN, kept_from(0.06, 1), "Undecided", because);
    // More threads than cores have to wait for one another.
    check(GAIN, kept_from(0.6, 2), "Missed", "");
}

#[test]
fn what_a_core_does_beside_the_threads_of_a_log_is_done_for_its_disk() {
    let beside = |scenario: &str, baseline: &str, candidate: &str| {
        let [slow, fast] = [(baseline, 1000.0), (candidate, 1200.0)]
            .map(|(implementation, figure)| cell(scenario, implementation, 8, figure));
        let records = with([slow, fast].concat(), |measures| {
            let own = measures.server.as_ref().unwrap().cores_busy;
            measures.system.cpu_busy = vec![own + 0.8, 0.5];
            measures.threads = Some(Threads {
                threads: 1,
                core_share: 1.0,
                taken_share: Some(0.0),
                ..Threads::default()
            });
        });
        let claim =
            format!("g;promise;{scenario};;throughput;ratio;{baseline};{candidate};ratio;1.1;;");
        judged(records, &[crate::common::claim(&claim)])
            .judgements
            .remove(0)
            .verdict
    };
    let log = beside("log/append", "log/okaywal", "log/preallocated");
    assert!(matches!(log, Verdict::Met { .. }), "{log:?}");
    let codec = beside("codec/log_entry", "codec/rkyv", "codec/zero_copy");
    assert!(
        matches!(&codec, Verdict::Undecided { because } if because.contains("other programs used")),
        "{codec:?}"
    );
}

#[test]
fn rounds_of_another_limit_are_few_or_decide() {
    let limited = |rounds: u32| {
        let mut records = pair(1.2, 16);
        for record in records.iter_mut().filter(|record| record.round < rounds) {
            record.measures.as_mut().unwrap().limited_by = Some(Limit::Generator);
        }
        records
    };
    check(GAIN, limited(2), "Missed", "");
    check(GAIN, limited(3), "Undecided", "only a bound");
}

#[test]
fn processor_time_of_an_idle_server_only_errs_to_its_disadvantage() {
    let half = with(cell(SMALL, "http/uring", 8, 1000.0), |measures| {
        idle(measures, Limit::Neither);
    });
    let cost = "c;promise;http/small;connections=400;cpu_per_op;us;;http/uring;at_most;;LIMIT;";
    check(&cost.replace("LIMIT", "2000000"), half.clone(), "Met", "");
    check(
        &cost.replace("LIMIT", "1"),
        half.clone(),
        "Undecided",
        "not saturated",
    );
    let share = "u;promise;http/small;connections=400;cpu_utilisation;%;;http/uring;at_most;;98;";
    check(share, half, "Undecided", "not saturated");
    check(share, cell(SMALL, "http/uring", 8, 1000.0), "Met", "");
}

#[test]
fn a_percentile_beyond_which_nothing_lies_was_not_measured() {
    let tail = |operations| {
        let spec = "http/small{connections=400,load=open}";
        with(cell(spec, "http/uring", 8, 5000.0), move |m| {
            (m.operations, m.offered) = (operations, operations);
        })
    };
    let claim =
        "l;promise;http/small;connections=400&load=open;latency_p99;ms;;http/uring;at_most;;10;";
    check(claim, tail(1000), "Met", "");
    check(claim, tail(999), "Undecided", "ten operations or more");
}
