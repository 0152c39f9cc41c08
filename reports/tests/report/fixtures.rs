//! Documents to make pages of: a rich one, and the edges of what a run can give. Every figure is
//! invented and follows from its place, so that the same document comes out each time.

use crate::formulas::{hostile_table, table};
use crate::machine::{checks, params, run};
use ringside_contract::{
    CellSummary, Check, CheckState, Claim, ClaimKind, Contradiction, CurvePoint, Interval,
    Judgement, Limit, Mark, MetricSummary, RankedCell, Ranking, Role, SCHEMA, SelfControl, Skipped,
    SweepPoint, Verdict, Verdicts,
};

/// Text that would run as markup or script where it is not escaped, and that is hard to wrap.
pub(crate) const HOSTILE: &str = "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>\"'& \
    averyveryveryverylongwordwithoutanyplacewherealinecouldbebrokenaveryveryveryverylongword";

/// A median with a spread of `share` to both sides.
pub(crate) fn interval(point: f64, share: f64) -> Interval {
    let (low, high) = (point * (1.0 - share), point * (1.0 + share));
    Interval {
        low,
        point,
        high,
        confidence: 0.992,
        samples: 8,
    }
}

/// Every document but the large one, with its name.
pub(crate) fn documents() -> [(&'static str, Verdicts); 8] {
    [
        ("rich", rich()),
        ("threads", crate::threads::threads()),
        ("smoke", smoke()),
        ("empty", empty()),
        ("tiny", tiny()),
        ("all_failed", all_failed()),
        ("hostile", hostile()),
        ("extreme", extreme()),
    ]
}

/// A run without a single record.
pub(crate) fn empty() -> Verdicts {
    Verdicts {
        schema: SCHEMA,
        run: run(),
        judgements: Vec::new(),
        contradictions: Vec::new(),
        rankings: Vec::new(),
        cells: Vec::new(),
        controls: Vec::new(),
        trust: Vec::new(),
        skipped: Vec::new(),
        formulas: Vec::new(),
    }
}

/// One scenario, one implementation, one round, one point of latency.
pub(crate) fn tiny() -> Verdicts {
    let mut verdicts = empty();
    let mut cell = cell("echo/small", "echo/epoll", "closed", 0, 1);
    cell.curve.retain(|point| point.percentile == 50.0);
    for metric in cell.metrics.values_mut() {
        let point = metric.interval.point;
        metric.interval = Interval {
            low: point,
            point,
            high: point,
            confidence: 0.0,
            samples: 1,
        };
    }
    verdicts.rankings = vec![ranking("echo/small", std::slice::from_ref(&cell))];
    verdicts.cells = vec![cell];
    verdicts
}

/// Every round of every cell failed.
pub(crate) fn all_failed() -> Verdicts {
    let mut verdicts = tiny();
    for cell in &mut verdicts.cells {
        cell.rounds = 0;
        cell.failures =
            vec!["the server ended with signal 11 after 3 s: segmentation fault".to_owned(); 3];
        cell.invalid = Some("no round was completed".to_owned());
        cell.limited_by = None;
        cell.metrics.clear();
        cell.curve.clear();
    }
    for cell in &mut verdicts.rankings[0].cells {
        cell.mark = Mark::Invalid {
            because: "no round was completed".to_owned(),
        };
        (cell.relative, cell.figure) = (None, None);
    }
    verdicts
}

/// A document with hostile text in every place that a person or a program can fill.
pub(crate) fn hostile() -> Verdicts {
    let mut verdicts = rich();
    let text = HOSTILE.to_owned();
    verdicts.run.run = text.clone();
    verdicts.run.plan = text.clone();
    verdicts.run.build.commit = text.clone();
    verdicts.run.build.flags = text.clone();
    verdicts.run.repeat = vec![text.clone()];
    verdicts.run.host.processor = text.clone();
    verdicts.run.host.virtualisation = text.clone();
    verdicts.run.host.sysctls.insert(text.clone(), text.clone());
    verdicts.run.host.syscall_counting_refused = Some(text.clone());
    for judgement in &mut verdicts.judgements {
        judgement.claim.id = format!("{}{text}", judgement.claim.id);
        judgement.claim.statement = text.clone();
        judgement.claim.section = text.clone();
        judgement.claim.seed = text.clone();
        judgement.claim.metric = text.clone();
        judgement.claim.unit = text.clone();
        judgement.notes = vec![text.clone()];
    }
    verdicts.judgements[0].verdict = Verdict::Undecided {
        because: text.clone(),
    };
    verdicts.contradictions = vec![Contradiction {
        claims: vec![text.clone()],
        sentence: text.clone(),
    }];
    for cell in &mut verdicts.cells {
        cell.program = Some(text.clone());
        cell.failures = vec![text.clone()];
        cell.warnings = vec![text.clone()];
        cell.invalid = cell.invalid.as_ref().map(|_| text.clone());
    }
    for ranking in &mut verdicts.rankings {
        ranking.question = text.clone();
        ranking.unit = text.clone();
        ranking.cells[0].mark = Mark::Unsupported {
            reason: text.clone(),
        };
    }
    verdicts.trust = vec![Check {
        state: CheckState::Warning,
        sentence: text.clone(),
    }];
    verdicts.formulas = vec![hostile_table(&text)];
    verdicts.skipped = vec![Skipped {
        cell: text.clone(),
        reason: text,
    }];
    verdicts
}

/// Figures at the ends of what a number can be, as a bug elsewhere might write them.
pub(crate) fn extreme() -> Verdicts {
    let mut verdicts = rich();
    let values = [
        0.0,
        -1.0,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::INFINITY,
        f64::NAN,
    ];
    for (index, cell) in verdicts.cells.iter_mut().enumerate() {
        let value = values[index % values.len()];
        for metric in cell.metrics.values_mut() {
            metric.interval = Interval {
                low: value,
                point: value,
                high: value,
                confidence: 0.0,
                samples: 1,
            };
        }
        for point in &mut cell.curve {
            (point.latency_us, point.high_us) = (value, value);
        }
        for step in &mut cell.sweep {
            (step.offered_per_s, step.p99_us, step.late_share) = (value, value, value);
        }
    }
    for (index, judgement) in verdicts.judgements.iter_mut().enumerate() {
        let value = values[index % values.len()];
        judgement.measured = Some(interval(value, 0.1));
        judgement.claim.high = Some(values[(index + 1) % values.len()]);
    }
    for ranking in &mut verdicts.rankings {
        for (index, cell) in ranking.cells.iter_mut().enumerate() {
            let value = values[index % values.len()];
            (cell.relative, cell.figure) = (Some(interval(value, 0.0)), Some(interval(value, 0.0)));
        }
    }
    verdicts.controls[0].ratio = interval(f64::NAN, 0.0);
    verdicts.controls[1].ratio = interval(f64::MAX, 0.0);
    verdicts
}

/// A run as one would like to have it: two families measured, a third not built.
pub(crate) fn rich() -> Verdicts {
    let mut verdicts = empty();
    for (scenario, load) in [
        ("echo/small", "closed"),
        ("echo/small{connections=400}", "closed"),
        ("echo/large", "closed"),
        ("http/small{connections=400}", "closed"),
        ("http/small{load=open,rate=20000}", "open"),
        ("http/small{load=sweep}", "sweep"),
        ("http/large{size=100MiB}", "closed"),
    ] {
        add_scenario(&mut verdicts, scenario, load);
    }
    verdicts.judgements = judgements();
    verdicts.contradictions = vec![Contradiction {
        claims: vec!["http-epoll-rate".to_owned(), "http-tokio-enough".to_owned()],
        sentence: "Section 2.1 promises 100 000 requests a second of one epoll loop; section 4.3 says that no loop passes 80 000.".to_owned(),
    }];
    verdicts.controls = vec![
        control(
            "echo/epoll",
            "echo/small",
            interval(1.002, 0.011),
            Some(97.0),
        ),
        control(
            "http/uring",
            "http/small{connections=400}",
            interval(1.031, 0.017),
            None,
        ),
    ];
    verdicts.trust = checks();
    verdicts.formulas = vec![table()];
    verdicts.skipped = ["http/caddy", "http/nginx[sendfile=off]"]
        .into_iter()
        .map(|id| Skipped {
            cell: format!("{id} in http/small{{connections=400}}"),
            reason: "not installed here: apt-get install it and run again".to_owned(),
        })
        .collect();
    verdicts
}

/// One round: figures, and nothing that could be ranked.
pub(crate) fn smoke() -> Verdicts {
    let mut verdicts = rich();
    verdicts.judgements.truncate(1);
    for cell in verdicts
        .rankings
        .iter_mut()
        .flat_map(|ranking| &mut ranking.cells)
    {
        if matches!(cell.mark, Mark::Best | Mark::Level | Mark::Behind) {
            cell.mark = Mark::Undecided {
                because: "1 round: too few to rank, 6 are needed".to_owned(),
            };
        }
    }
    verdicts
}

/// A document of `cells` cells and `claims` claims, for speed and size.
pub(crate) fn large(cells: usize, claims: usize) -> Verdicts {
    let mut verdicts = empty();
    for number in 0..cells.div_ceil(10) {
        let load = ["closed", "open", "sweep"][number % 3];
        add_scenario(
            &mut verdicts,
            &format!("http/small{{connections={}}}", number + 1),
            load,
        );
    }
    verdicts.cells.truncate(cells);
    let some = judgements();
    verdicts.judgements = (0..claims)
        .map(|number| {
            let mut judgement = some[number % some.len()].clone();
            judgement.claim.id = format!("claim-{number}");
            judgement
        })
        .collect();
    verdicts
}

fn add_scenario(verdicts: &mut Verdicts, scenario: &str, load: &str) {
    let family = scenario.split('/').next().unwrap();
    let engines = [
        "epoll",
        "uring",
        "tokio",
        "blocking",
        "per_core_epoll",
        "compio",
        "uring[multishot=off]",
        "epoll[body=sendfile]",
        "tokio_uring",
        "floor[io=uring]",
    ];
    let mut cells: Vec<CellSummary> = engines
        .iter()
        .enumerate()
        .map(|(index, engine)| cell(scenario, &format!("{family}/{engine}"), load, index, 8))
        .collect();
    cells[5].invalid = Some("the generator was the limit in 6 of 8 rounds".to_owned());
    cells[5].limited_by = Some(Limit::Generator);
    cells[3].failures = vec!["round 4: the server ended with signal 9 after 0.4 s".to_owned()];
    cells[1].disturbed =
        Some("other programs used 31.0 % of the server's core in the median block".to_owned());
    cells[2].warnings =
        vec!["the congestion control could not be set on accepted sockets".to_owned()];
    cells[4].program = Some("nginx 1.22.1".to_owned());
    verdicts.rankings.push(ranking(scenario, &cells));
    verdicts.cells.extend(cells);
}

pub(crate) fn cell(
    scenario: &str,
    implementation: &str,
    load: &str,
    index: usize,
    rounds: u32,
) -> CellSummary {
    let slower = 1.0 + index as f64 * 0.13;
    let metric = |unit: &str, more_is_better: bool, point: f64| MetricSummary {
        unit: unit.to_owned(),
        more_is_better,
        interval: interval(point, 0.012 + index as f64 * 0.004),
    };
    let metrics = [
        (
            "operations_per_cpu_s",
            metric("op/s", true, 171_000.0 / slower),
        ),
        ("throughput", metric("op/s", true, 118_000.0 / slower)),
        ("bandwidth", metric("GB/s", true, 0.146 / slower)),
        ("latency_p50", metric("us", false, 310.0 * slower)),
        ("latency_p90", metric("us", false, 480.0 * slower)),
        ("latency_p99", metric("us", false, 911.0 * slower)),
        ("latency_p999", metric("us", false, 2_300.0 * slower)),
        ("latency_max", metric("us", false, 12_400.0 * slower)),
        ("cpu_per_op", metric("us", false, 5.8 * slower)),
        ("generator_cpu_per_op", metric("us", false, 4.9)),
        ("peak_memory", metric("MiB", false, 14.0 * slower)),
        ("syscalls_per_op", metric("count", false, 0.21 * slower)),
        ("context_switches_per_op", metric("count", false, 0.034)),
        ("late_share", metric("%", false, index as f64 * 0.07)),
    ];
    CellSummary {
        scenario: scenario.parse().unwrap(),
        implementation: implementation.parse().unwrap(),
        ranked: !implementation.contains("floor"),
        program: None,
        load: load.to_owned(),
        params: params(load),
        rounds,
        failures: Vec::new(),
        invalid: None,
        disturbed: None,
        limited_by: Some(if index == 8 {
            Limit::Neither
        } else {
            Limit::Server
        }),
        metrics: metrics
            .into_iter()
            .map(|(name, metric)| (name.to_owned(), metric))
            .collect(),
        curve: curve(slower),
        sweep: if load == "sweep" {
            sweep(slower)
        } else {
            Vec::new()
        },
        warnings: Vec::new(),
    }
}

fn curve(slower: f64) -> Vec<CurvePoint> {
    [
        0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0,
    ]
    .into_iter()
    .enumerate()
    .map(|(index, percentile)| {
        let latency_us = 150.0 * slower * 1.45_f64.powi(index as i32);
        CurvePoint {
            percentile,
            latency_us,
            low_us: latency_us * 0.9,
            high_us: latency_us * 1.2,
        }
    })
    .collect()
}

fn sweep(slower: f64) -> Vec<SweepPoint> {
    let capacity = 120_000.0 / slower;
    (1..=12)
        .map(|step| f64::from(step) * 10_000.0)
        .take_while(|offered| *offered < capacity * 1.15)
        .map(|offered_per_s| {
            let room = (1.0 - offered_per_s / capacity).max(0.004);
            SweepPoint {
                offered_per_s,
                achieved_per_s: offered_per_s.min(capacity),
                p50_us: 90.0 * slower / room.sqrt(),
                p99_us: 240.0 * slower / room,
                late_share: 0.0003,
                generator_limited: false,
            }
        })
        .collect()
}

pub(crate) fn ranking(scenario: &str, cells: &[CellSummary]) -> Ranking {
    let ranked = cells.iter().map(|cell| {
        let own = cell.metrics["operations_per_cpu_s"].interval;
        let best = cells[0].metrics["operations_per_cpu_s"].interval;
        let mark = match (&cell.invalid, cell.ranked) {
            (Some(because), _) => Mark::Invalid {
                because: because.clone(),
            },
            (None, false) => Mark::Floor,
            (None, true) if own == best => Mark::Best,
            (None, true) if own.point / best.point > 0.85 => Mark::Level,
            (None, true) => Mark::Behind,
        };
        RankedCell {
            implementation: cell.implementation.clone(),
            mark,
            relative: Some(interval(own.point / best.point, 0.02)),
            figure: Some(own),
            bound: false,
        }
    });
    let scenario: ringside_contract::ScenarioSpec = scenario.parse().unwrap();
    let unsupported = RankedCell {
        implementation: format!("{}/per_core_uring", scenario.id.family)
            .parse()
            .unwrap(),
        mark: Mark::Unsupported {
            reason: "needs 4 cores or more, this machine has 2".to_owned(),
        },
        relative: None,
        figure: None,
        bound: false,
    };
    Ranking {
        scenario,
        question: "How many small requests does a second of server processor time carry?"
            .to_owned(),
        metric: "operations_per_cpu_s".to_owned(),
        unit: "op/s".to_owned(),
        cells: ranked.chain([unsupported]).collect(),
    }
}

fn judgements() -> Vec<Judgement> {
    let met = |margin, exceeds| Verdict::Met { margin, exceeds };
    let not_run = || Verdict::NotRun {
        because: "not built yet: the mqtt family is still to come".to_owned(),
    };
    let mut all = vec![
        judgement("http-uring-gain", "http/uring", Some("http/epoll"), ClaimKind::Ratio, (Some(1.2), Some(1.4)), "ratio", Some(interval(1.061, 0.011)), Verdict::Missed { shortfall: 0.107 }),
        judgement("http-epoll-rate", "http/epoll", None, ClaimKind::AtLeast, (Some(100_000.0), None), "req/s", Some(interval(118_200.0, 0.021)), met(0.157, false)),
        judgement("http-uring-latency", "http/uring", None, ClaimKind::AtMost, (None, Some(10.0)), "ms", Some(interval(0.411, 0.06)), met(22.0, false)),
        judgement("send-sendfile-100m", "http/epoll[body=sendfile]", Some("http/epoll[body=copy_8k]"), ClaimKind::RatioTime, (Some(2.0), Some(4.0)), "ratio", Some(interval(5.9, 0.04)), met(1.8, true)),
        judgement("send-zerocopy-msg", "http/epoll[body=msg_zerocopy]", None, ClaimKind::Range, (Some(20.0), Some(30.0)), "%", Some(interval(21.0, 0.3)), Verdict::Undecided { because: "the interval crosses the bound; 24 more process pairs would halve it".to_owned() }),
        judgement("http-checks", "http/tokio", None, ClaimKind::AtLeast, (Some(50_000.0), None), "req/s", None, Verdict::Disqualified { because: "3 of 31 conformance cases failed: range_beyond_end, head_has_no_body, pipelined_answers_in_order".to_owned() }),
        judgement("http-limit", "http/blocking", None, ClaimKind::AtMost, (None, Some(50_000.0)), "req/s", Some(interval(61_400.0, 0.03)), Verdict::Missed { shortfall: 0.19 }),
        judgement("percore-gain", "http/per_core_epoll", Some("http/epoll"), ClaimKind::Ratio, (Some(3.0), None), "ratio", None, Verdict::NotHere { needs: "cores>=4; this machine has 2".to_owned() }),
        judgement("http-million", "http/uring", None, ClaimKind::AtLeast, (Some(1_000_000.0), None), "conn", None, Verdict::NotRun { because: "left out of the quick plan; `--plan full` has it".to_owned() }),
        judgement("echo-uring", "echo/uring", Some("echo/epoll"), ClaimKind::Ratio, (Some(1.05), None), "ratio", Some(interval(1.09, 0.015)), met(0.022, false)),
    ];
    all[6].claim.role = Role::Limit;
    for (id, verdict) in [
        ("goal-epoll-nginx-400", met(0.04, false)),
        ("goal-uring-epoll-400", Verdict::Missed { shortfall: 0.02 }),
    ] {
        let ratio = Some(interval(1.56, 0.01));
        let mut goal = judgement(
            id,
            "http/epoll",
            Some("http/nginx"),
            ClaimKind::Ratio,
            (Some(1.5), None),
            "ratio",
            ratio,
            verdict,
        );
        goal.claim.seed = ringside_contract::OWN_SEED.to_owned();
        all.push(goal);
    }
    all[0].notes =
        vec!["Against epoll with the same batch size the gain is 1.04× (1.03–1.05×).".to_owned()];
    for number in 0..14 {
        all.push(judgement(
            &format!("mqtt-claim-{number}"),
            "mqtt/uring",
            None,
            ClaimKind::AtLeast,
            (Some(500_000.0), None),
            "msg/s",
            None,
            not_run(),
        ));
    }
    all.push(judgement(
        "mqtt-arm",
        "mqtt/uring",
        None,
        ClaimKind::AtMost,
        (None, Some(20.0)),
        "ms",
        None,
        Verdict::NotHere {
            needs: "arch=aarch64; this machine is x86_64".to_owned(),
        },
    ));
    all
}

#[expect(clippy::too_many_arguments, reason = "a row of a table of claims")]
fn judgement(
    id: &str,
    candidate: &str,
    baseline: Option<&str>,
    kind: ClaimKind,
    (low, high): (Option<f64>, Option<f64>),
    unit: &str,
    measured: Option<Interval>,
    verdict: Verdict,
) -> Judgement {
    let family = candidate.split('/').next().unwrap();
    let claim = Claim {
        id: id.to_owned(),
        seed: "001_6d2685016df4ccb3".to_owned(),
        section: "4.1/7.1".to_owned(),
        role: Role::Promise,
        scenario: format!("{family}/small{{connections=400}}")
            .parse()
            .unwrap(),
        metric: "operations_per_cpu_s".to_owned(),
        unit: unit.to_owned(),
        baseline: baseline.map(|baseline| baseline.parse().unwrap()),
        baseline_params: ringside_contract::Settings::default(),
        candidate: candidate.parse().unwrap(),
        kind,
        low,
        high,
        needs: Vec::new(),
        statement: format!(
            "the document says in so many words what {candidate} reaches under load"
        ),
    };
    Judgement {
        claim,
        verdict,
        measured,
        notes: Vec::new(),
    }
}

fn control(
    implementation: &str,
    scenario: &str,
    ratio: Interval,
    coverage: Option<f64>,
) -> SelfControl {
    SelfControl {
        scenario: scenario.parse().unwrap(),
        implementation: implementation.parse().unwrap(),
        metric: "operations_per_cpu_s".to_owned(),
        ratio,
        coverage,
        doubt: None,
    }
}
