//! Each rule of a verdict, through one helper.

use crate::common::{cell, claim, host, idle, judged, record, with};
use ringside_contract::{Limit, Measures, Omitted, Plan, RunRecord, SCHEMA, Status, Verdict};
use ringside_judge::{Families, JudgeInput, Records, judge};

pub(crate) const SMALL: &str = "http/small{connections=400}";
pub(crate) const GAIN: &str = "gain;promise;http/small;size=1KiB&connections=400;throughput;ratio;http/epoll;http/uring;ratio;2;3;";
pub(crate) const RATE: &str = "rate;promise;http/small;size=1KiB&connections=400;throughput;req/s;;http/uring;at_least;1000;;";

/// Judges one claim on the records and expects the verdict's word and a part of its reason.
pub(crate) fn check(line: &str, records: Vec<RunRecord>, word: &str, reason: &str) {
    let claim = claim(line);
    let role = claim.role;
    let judgement = judged(records, &[claim]).judgements.remove(0);
    let verdict = &judgement.verdict;
    let because = match verdict {
        Verdict::Undecided { because }
        | Verdict::NotRun { because }
        | Verdict::Disqualified { because } => because,
        Verdict::NotHere { needs } => needs,
        Verdict::Met { .. } | Verdict::Missed { .. } => "",
    };
    assert_eq!(verdict.word(role), word, "{line}: {judgement:?}");
    assert!(
        because.contains(reason),
        "{line}: `{because}` does not hold `{reason}`"
    );
}

/// A baseline at 1,000 and a candidate at `times` as much.
pub(crate) fn pair(times: f64, rounds: u32) -> Vec<RunRecord> {
    let mut records = cell(SMALL, "http/epoll", rounds, 1000.0);
    records.extend(cell(SMALL, "http/uring", rounds, 1000.0 * times));
    records
}

#[test]
fn a_baseline_may_have_other_parameters() {
    let line = GAIN.replace(";http/epoll;", ";http/uring{connections=64};");
    let mut records = cell(SMALL, "http/uring", 8, 2500.0);
    check(&line, records.clone(), "Not run", "");
    records.extend(cell("http/small", "http/uring", 8, 1000.0));
    check(&line, records, "Met", "");
}

#[test]
fn late_sends_leave_connections_and_memory_alone() {
    let open = "http/small{connections=400,load=open,rate=1000}";
    let records = with(cell(open, "http/uring", 8, 1000.0), |measures| {
        (measures.offered, measures.late_sends) = (1000, 30);
    });
    let claim = |what: &str| {
        let params = "connections=400&load=open&rate=1000";
        format!("held;promise;http/small;{params};{what};")
    };
    let held = claim("connections;conn;;http/uring;at_least;400;");
    check(&held, records.clone(), "Met", "");
    let memory = claim("memory_total;MB;;http/uring;at_most;;40");
    check(&memory, records.clone(), "Met", "");
    let latency = claim("latency_p50;ms;;http/uring;at_most;;100");
    check(&latency, records, "Undecided", "late");
}

fn generator_limited(records: Vec<RunRecord>, which: &str) -> Vec<RunRecord> {
    let change = |mut record: RunRecord| {
        if record.implementation.to_string() == which
            && let Some(measures) = &mut record.measures
        {
            measures.limited_by = Some(Limit::Generator);
        }
        record
    };
    records.into_iter().map(change).collect()
}

#[test]
fn the_interval_decides_a_gain() {
    check(GAIN, pair(2.5, 8), "Met", "");
    check(GAIN, pair(3.5, 8), "Met, exceeds", "");
    check(GAIN, pair(1.2, 8), "Missed", "");
    // The point is past the bound and the interval holds it.
    let mut records = pair(2.02, 8);
    records[8].measures = Some(crate::common::measures(1900.0));
    check(GAIN, records, "Undecided", "holds the bound 2");
}

#[test]
fn a_limit_holds_or_is_refuted() {
    let limit = RATE
        .replace("promise", "limit")
        .replace("at_least;1000;;", "at_most;;1000;");
    check(&limit, cell(SMALL, "http/uring", 8, 900.0), "Holds", "");
    check(&limit, cell(SMALL, "http/uring", 8, 1200.0), "Refuted", "");
}

#[test]
fn figures_below_and_above_a_range() {
    let range =
        "r;promise;http/small;connections=400&load=closed;latency_p50;ms;;http/uring;range;1;2;";
    check(range, cell(SMALL, "http/uring", 8, 700.0), "Met", "");
    check(range, cell(SMALL, "http/uring", 8, 100.0), "Missed", "");
    check(
        range,
        cell(SMALL, "http/uring", 8, 5000.0),
        "Met, exceeds",
        "",
    );
    check(
        &range.replace("promise", "limit"),
        cell(SMALL, "http/uring", 8, 5000.0),
        "Refuted",
        "",
    );
}

#[test]
fn times_and_reductions_compare_the_right_way_round() {
    let time = "t;promise;http/small;connections=400&load=closed;latency_p50;ratio;http/epoll;http/uring;ratio_time;2;;";
    check(time, pair(2.5, 8), "Met", "");
    check(time, pair(1.5, 8), "Missed", "");
    let saved = "s;promise;http/small;connections=400;cpu_per_op;ratio;http/epoll;http/uring;reduction;0.5;;";
    check(saved, pair(2.5, 8), "Met", "");
    check(saved, pair(1.5, 8), "Missed", "");
}

#[test]
fn too_few_rounds_decide_nothing() {
    check(
        GAIN,
        pair(2.5, 5),
        "Undecided",
        "5 process pairs, and 6 are needed",
    );
    check(GAIN, pair(2.5, 6), "Met", "");
    check(
        RATE,
        cell(SMALL, "http/uring", 7, 5000.0),
        "Undecided",
        "7 processes, and 8 are needed",
    );
    check(RATE, cell(SMALL, "http/uring", 8, 5000.0), "Met", "");
}

#[test]
fn only_blocks_of_one_round_are_pairs() {
    let mut records = pair(2.5, 8);
    records[8..].iter_mut().for_each(|record| record.group = 1);
    check(
        GAIN,
        records,
        "Undecided",
        "never measured in the same round",
    );
}

#[test]
fn a_limited_generator_leaves_only_a_sound_met() {
    check(
        RATE,
        generator_limited(cell(SMALL, "http/uring", 8, 5000.0), "http/uring"),
        "Met",
        "",
    );
    check(
        RATE,
        generator_limited(cell(SMALL, "http/uring", 8, 500.0), "http/uring"),
        "Undecided",
        "only a bound",
    );
    check(
        GAIN,
        generator_limited(pair(2.5, 8), "http/uring"),
        "Met",
        "",
    );
    check(
        GAIN,
        generator_limited(pair(2.5, 8), "http/epoll"),
        "Undecided",
        "http/epoll",
    );
    check(
        GAIN,
        generator_limited(pair(1.2, 8), "http/uring"),
        "Undecided",
        "the generator was the limit",
    );
    let limit = RATE
        .replace("promise", "limit")
        .replace("at_least;1000;;", "at_most;;1000;");
    check(
        &limit,
        generator_limited(cell(SMALL, "http/uring", 8, 900.0), "http/uring"),
        "Undecided",
        "only a bound",
    );
}

#[test]
fn late_sends_and_errors_make_a_cell_useless() {
    const OPEN: &str = "http/small{connections=400,load=open}";
    let latency = "l;promise;http/small;connections=400;latency_p99;ms;;http/uring;at_most;;10;";
    let open = |late| {
        with(
            cell(OPEN, "http/uring", 8, 1000.0),
            move |measures: &mut Measures| {
                measures.offered = 1000;
                measures.late_sends = late;
                measures.limited_by = Some(Limit::Neither);
            },
        )
    };
    check(latency, open(10), "Met", "");
    check(
        latency,
        open(11),
        "Undecided",
        "the generator was the limit: 1.10 %",
    );
    check(
        RATE,
        with(cell(SMALL, "http/uring", 8, 5000.0), |m| m.errors = 2),
        "Undecided",
        "failed",
    );
    let errors = "e;promise;http/small;connections=400;error_rate;%;;http/uring;at_most;;0.1;";
    check(
        errors,
        with(cell(SMALL, "http/uring", 8, 5000.0), |m| m.errors = 2),
        "Missed",
        "",
    );
    check(errors, cell(SMALL, "http/uring", 8, 5000.0), "Met", "");
}

#[test]
fn latency_is_judged_on_the_open_loop_where_there_is_one() {
    let latency =
        claim("l;promise;http/small;connections=400;latency_p99;ms;;http/uring;at_most;;1;");
    let mut records = cell(SMALL, "http/uring", 8, 100.0);
    let alone = judged(records.clone(), std::slice::from_ref(&latency))
        .judgements
        .remove(0);
    assert!(
        matches!(&alone.verdict, Verdict::Undecided { because } if because.contains("queueing")),
        "{alone:?}"
    );
    for rate in ["1000", "30000"] {
        let open = format!("http/small{{connections=400,load=open,rate={rate}}}");
        records.extend(with(cell(&open, "http/uring", 8, 10_000.0), |m| {
            m.offered = 1000;
        }));
    }
    let open = judged(records, &[latency]).judgements.remove(0);
    assert!(matches!(open.verdict, Verdict::Met { .. }), "{open:?}");
    assert!(
        open.notes
            .iter()
            .any(|note| note.contains("open loop at 30000/s")),
        "{open:?}"
    );
}

#[test]
fn processor_time_compares_only_at_equal_load() {
    let saved = "s;promise;http/small;connections=400;cpu_per_op;ratio;http/epoll;http/uring;reduction;0.5;;";
    let half = with(pair(2.5, 8), |measures| {
        idle(measures, Limit::Neither);
    });
    check(saved, half, "Undecided", "was not saturated");
    let open = saved.replace("connections=400;cpu", "connections=400&load=open;cpu");
    let mut records = cell(
        "http/small{connections=400,load=open}",
        "http/epoll",
        8,
        1000.0,
    );
    records.extend(cell(
        "http/small{connections=400,load=open}",
        "http/uring",
        8,
        2500.0,
    ));
    let records = with(records, |measures| {
        measures.limited_by = Some(Limit::Neither);
    });
    check(&open, records.clone(), "Met", "");
    let behind = with(records, |measures| measures.offered = 2000);
    check(
        &open,
        behind,
        "Undecided",
        "did not keep up with the offered rate: it completed only 50.0 %",
    );
}

#[test]
fn latency_of_a_rate_that_was_not_kept_up_with_decides_nothing() {
    let promised =
        "l;promise;http/small;connections=400&load=open;latency_p99;ms;;http/uring;at_most;;10;";
    let spec = "http/small{connections=400,load=open}";
    let kept = with(cell(spec, "http/uring", 8, 5000.0), |m| m.offered = 1000);
    check(promised, kept.clone(), "Met", "");
    let silent = with(kept, |m| (m.offered, m.unanswered) = (1045, 60));
    check(
        promised,
        silent,
        "Undecided",
        "5.66 % of the operations had no answer",
    );
}

#[test]
fn a_small_host_may_say_met_and_never_missed() {
    let large = format!("{RATE}cores>=12");
    check(&large, cell(SMALL, "http/uring", 8, 5000.0), "Met", "");
    check(
        &large,
        cell(SMALL, "http/uring", 8, 500.0),
        "Not here",
        "12 cores; this run gave the server 1 core",
    );
    check(&large, Vec::new(), "Not run", "no record");
    check(
        &format!("{GAIN}cores>=4"),
        pair(2.5, 8),
        "Not here",
        "4 cores",
    );
    let easy = format!(
        "{}cores>=12",
        RATE.replace("promise", "before")
            .replace("at_least;1000;;", "at_most;;1000;")
    );
    check(
        &easy,
        cell(SMALL, "http/uring", 8, 900.0),
        "Not here",
        "12 cores",
    );
    check(
        &easy,
        cell(SMALL, "http/uring", 8, 1900.0),
        "Not here",
        "12 cores",
    );
    let mut large_host = pair(1.2, 8);
    for record in &mut large_host {
        record.host = host(16);
    }
    let gain = format!("{GAIN}cores>=4");
    check(
        &gain,
        large_host,
        "Not here",
        "this run gave the server 1 core",
    );
    let card = format!("{GAIN}nic");
    check(&card, pair(1.2, 8), "Not here", "a network card");
}

#[test]
fn figures_of_one_scenario_were_documented_on_one_host() {
    let large = claim(&format!("{}cores>=12", RATE.replace("rate;", "large;")));
    let plain = claim(&RATE.replace("http/uring", "http/tokio"));
    let verdict = |throughput| {
        let records = cell(SMALL, "http/tokio", 8, throughput);
        judged(records, &[large.clone(), plain.clone()])
            .judgements
            .remove(1)
            .verdict
    };
    assert!(matches!(verdict(5000.0), Verdict::Met { .. }));
    assert!(matches!(verdict(500.0), Verdict::NotHere { needs } if needs.contains("12 cores")));
}

#[test]
fn wrong_answers_disqualify() {
    let corrupt = with(cell(SMALL, "http/uring", 8, 5000.0), |measures| {
        measures.corrupt = 1;
        measures.error_samples = vec!["byte 7 was 0".to_owned()];
    });
    check(RATE, corrupt, "Disqualified", "the first: byte 7 was 0");
    let mut refused = cell(SMALL, "http/uring", 8, 5000.0);
    refused[0].status = Status::Disqualified {
        stderr: String::new(),
        because: "case ranges failed".to_owned(),
    };
    check(RATE, refused, "Disqualified", "case ranges failed");
    let mut baseline = pair(2.5, 8);
    baseline[0].measures.as_mut().unwrap().corrupt = 1;
    check(
        GAIN,
        baseline,
        "Undecided",
        "http/epoll: 1 answer was wrong",
    );
}

#[test]
fn failed_and_skipped_cells_are_never_met() {
    let mut failed = cell(SMALL, "http/uring", 9, 5000.0);
    failed[3].status = Status::Failed {
        because: "the server died".to_owned(),
        stderr: String::new(),
    };
    check(
        RATE,
        failed,
        "Undecided",
        "1 of 9 rounds failed; round 3: the server died",
    );
    let mut skipped = vec![record(SMALL, "http/uring", 0, Measures::default())];
    skipped[0].status = Status::Skipped {
        reason: "io_uring is refused".to_owned(),
    };
    skipped[0].measures = None;
    check(RATE, skipped, "Not here", "io_uring is refused");
}

#[test]
fn what_is_not_there_is_not_run() {
    check(
        RATE,
        cell("http/small", "http/uring", 8, 5000.0),
        "Not run",
        "no record of",
    );
    check(
        GAIN,
        cell(SMALL, "http/uring", 8, 5000.0),
        "Not run",
        "http/epoll",
    );
    check(
        &RATE.replace("http/", "raft/"),
        pair(2.5, 8),
        "Not run",
        "not built yet: the family raft",
    );
    check(
        &RATE.replace("http/uring", "http/iocp"),
        Vec::new(),
        "Not run",
        "the implementation http/iocp",
    );
    check(
        &RATE.replace("http/small", "http/tiny"),
        Vec::new(),
        "Not run",
        "the scenario http/tiny",
    );
    check(
        &RATE.replace("throughput", "copies"),
        pair(2.5, 8),
        "Not run",
        "the metric copies",
    );
    check(
        &RATE.replace("throughput", "cpu_copies"),
        pair(2.5, 8),
        "Not here",
        "kernel probes",
    );
}

#[test]
fn what_was_not_measured_says_what_it_needs() {
    let calls =
        "c;promise;http/small;connections=400;syscalls_per_op;count;;http/uring;at_most;;0;";
    let blind = with(cell(SMALL, "http/uring", 8, 5000.0), |measures| {
        measures.server.as_mut().unwrap().syscalls_per_op = None;
    });
    check(calls, blind.clone(), "Undecided", "raw_syscalls");
    let refused = blind.into_iter().map(|mut record| {
        record.host.syscall_counting_refused = Some("perf_event_paranoid is 4".to_owned());
        record
    });
    check(
        calls,
        refused.collect(),
        "Not here",
        "perf_event_paranoid is 4",
    );
    check(calls, cell(SMALL, "http/uring", 8, 5000.0), "Missed", "");
    check(
        &RATE.replace("req/s", "KiB"),
        cell(SMALL, "http/uring", 8, 5.0),
        "Undecided",
        "does not turn into",
    );
}

#[test]
fn the_plan_says_why_a_claim_was_left_out() {
    let claims = [claim(RATE)];
    let omitted = Omitted {
        what: "rate".to_owned(),
        because: "only in the full plan".to_owned(),
    };
    let mut plan = Plan {
        schema: SCHEMA,
        name: "smoke".to_owned(),
        seed: 7,
        groups: Vec::new(),
        omitted: vec![omitted],
        estimated_s: 1,
    };
    let families = Families {
        built: vec!["http".to_owned()],
        roadmap: Vec::new(),
    };
    let reason = |plan: &Plan| {
        let records = Records {
            records: cell("http/small", "http/uring", 1, 1.0),
            warnings: Vec::new(),
        };
        let verdicts = judge(&JudgeInput {
            records: &records,
            plan: Some(plan),
            claims: &claims,
            formulas: &[],
            fairer: &[],
            scenarios: &crate::common::scenarios(),
            implementations: &["http/uring".parse().unwrap()],
            families: &families,
            repeat: &[],
        });
        assert_eq!(verdicts.run.plan, "smoke");
        match &verdicts.judgements[0].verdict {
            Verdict::NotRun { because } => because.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(&plan), "only in the full plan");
    plan.omitted.clear();
    assert!(reason(&plan).starts_with("not in this plan (smoke)"));
}

#[test]
fn margins_are_distances_of_the_nearer_end() {
    let met = judged(
        with(cell(SMALL, "http/uring", 8, 1500.0), |m| {
            m.throughput_per_s = 1500.0;
        }),
        &[claim(RATE)],
    );
    assert!(
        matches!(met.judgements[0].verdict, Verdict::Met { margin, .. } if (margin - 0.5).abs() < 1e-9),
        "{:?}",
        met.judgements[0]
    );
    assert_eq!(met.run.host, host(2));
}

#[test]
fn a_limited_rate_tells_the_processor_time_beside_it() {
    let records = generator_limited(pair(1.2, 8), "http/uring");
    let judgement = judged(records, &[claim(GAIN)]).judgements.remove(0);
    assert!(
        matches!(judgement.verdict, Verdict::Undecided { .. }),
        "{judgement:?}"
    );
    let told = |note: &String| note.contains("(both saturated): 1.44×");
    assert!(judgement.notes.iter().any(told), "{:?}", judgement.notes);
}
