//! `ringside compare`: two implementations under one scenario, without a plan; or two runs side by side.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ringside_contract::{
    BlockTiming, Group, ImplementationSpec, Interval, Limit, Plan, PlannedCell, Purpose, RunRecord,
    SCHEMA, ScenarioSpec, Status, parse_duration,
};
use ringside_judge::{
    Metric, NOMINAL_CONFIDENCE, SAMPLES_MIN, median_interval, metric, ratio_interval, read_records,
};
use serde::Serialize;

use crate::args::{CompareArgs, Format, Global};
use crate::commands::run;
use crate::commands::side_by_side::{compare_runs, lost_run};
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::session::Session;

/// Metrics beside the one that ranks the scenario.
pub(crate) const METRICS: &[&str] = &[
    "throughput",
    "cpu_per_op",
    "latency_p50",
    "latency_p99",
    "peak_memory",
];
/// Blocks warm up for so long.
const WARMUP_MS: u64 = 100;
/// System calls are counted for so long behind each block.
const COUNT_MS: u64 = 30;

/// One metric of both.
#[derive(Debug, Serialize)]
struct Row {
    metric: &'static str,
    unit: &'static str,
    more_is_better: bool,
    first: Interval,
    second: Interval,
    /// B over A, paired by round.
    ratio: Interval,
}

/// What a comparison found.
#[derive(Debug, Serialize)]
struct Comparison {
    scenario: ScenarioSpec,
    first: ImplementationSpec,
    second: ImplementationSpec,
    run: String,
    rows: Vec<Row>,
    /// How often each limit was met, of A and of B.
    limited_by: [BTreeMap<&'static str, usize>; 2],
    /// Why the metric that ranks the scenario compares nothing here; empty when it does.
    doubts: Vec<String>,
}

/// Compares what the two names stand for.
pub(crate) fn compare(
    global: &Global,
    args: &CompareArgs,
    output: &Output,
) -> anyhow::Result<Exit> {
    let folders = [&args.first, &args.second].map(|name| Path::new(name.as_str()));
    if folders
        .iter()
        .all(|folder| folder.join("records.jsonl").exists())
    {
        if args.regression.is_some() {
            return Err(UsageError(
                "--regression needs fresh processes of both sides, and two runs are only shown; \
                 give two implementations and --scenario, or leave --regression out"
                    .to_owned(),
            )
            .into());
        }
        return compare_runs(folders, output);
    }
    if let Some(folder) = lost_run(folders) {
        return Err(UsageError(format!(
            "there is no run in {}: it has no records.jsonl; give the folder of a run, such as reports/latest",
            folder.display()
        ))
        .into());
    }
    let session = Session::open(global)?;
    let request = Request::new(args, &session)?;
    let Some(comparison) = request.measure(&session, args, output)? else {
        return Ok(Exit::Interrupted);
    };
    comparison.print(output)?;
    comparison.say_doubts(output);
    let Some(percent) = args.regression else {
        return Ok(if comparison.doubts.is_empty() {
            Exit::Ok
        } else {
            Exit::Undecided
        });
    };
    match comparison.slowdown(request.ranked_by, percent) {
        Slowdown::No => Ok(Exit::Ok),
        Slowdown::Undecided => {
            if comparison.doubts.is_empty() && output.format != Format::Json {
                output.line("undecided: the interval holds the threshold; more --rounds narrow it");
            }
            Ok(Exit::Undecided)
        }
        Slowdown::Yes => {
            output.note("slower than allowed; confirming in fresh processes");
            let Some(again) = request.measure(&session, args, output)? else {
                return Ok(Exit::Interrupted);
            };
            again.print(output)?;
            again.say_doubts(output);
            let confirmed = matches!(again.slowdown(request.ranked_by, percent), Slowdown::Yes);
            Ok(if confirmed {
                Exit::Regression
            } else {
                Exit::Undecided
            })
        }
    }
}

/// A checked request to compare two implementations.
struct Request {
    scenario: ScenarioSpec,
    ranked_by: &'static str,
    specs: [ImplementationSpec; 2],
    measure_ms: u64,
}

impl Request {
    fn new(args: &CompareArgs, session: &Session) -> Result<Self, UsageError> {
        let usage = |error: &dyn std::fmt::Display| UsageError(error.to_string());
        let text = args.scenario.as_deref().ok_or_else(|| {
            UsageError("comparing two implementations needs --scenario, such as 'http/small{connections=400}'; \
                 comparing two runs needs two folders with a records.jsonl".to_owned())
        })?;
        let spec: ScenarioSpec = text.parse().map_err(|error| usage(&error))?;
        let (scenario, params) = session
            .catalogue
            .scenario(&spec)
            .map_err(|error| usage(&error))?;
        let mut specs = Vec::new();
        for name in [&args.first, &args.second] {
            let spec = name.parse().map_err(|error| usage(&error))?;
            let subject = session
                .catalogue
                .subject(&spec)
                .map_err(|error| usage(&error))?;
            if subject.spec.id.family != params.spec().id.family {
                return Err(UsageError(format!(
                    "{name} cannot be measured with {}: it is of another family",
                    params.spec()
                )));
            }
            specs.push(subject.spec);
        }
        let measure = parse_duration(&args.measure)
            .filter(|time| (Duration::from_millis(1)..=Duration::from_secs(600)).contains(time))
            .ok_or_else(|| {
                UsageError(format!(
                    "--measure {}: expected a time such as 400ms, at most 10m",
                    args.measure
                ))
            })?;
        let [first, second] =
            <[ImplementationSpec; 2]>::try_from(specs).expect("two names were read");
        Ok(Self {
            scenario: params.spec().clone(),
            ranked_by: scenario.meta().ranked_by,
            specs: [first, second],
            measure_ms: u64::try_from(measure.as_millis()).expect("ten minutes fit"),
        })
    }

    fn plan(&self, args: &CompareArgs) -> Plan {
        // An implementation compared with itself is two copies of one cell.
        let same = self.specs[0] == self.specs[1];
        let cell = |index: usize| PlannedCell {
            implementation: self.specs[index].clone(),
            replica: u8::from(same && index == 1),
            purposes: vec![if same {
                Purpose::SelfControl
            } else {
                Purpose::Ranking
            }],
        };
        let timing = BlockTiming {
            warmup_ms: WARMUP_MS,
            measure_ms: self.measure_ms,
            count_ms: COUNT_MS,
        };
        let block_s = (WARMUP_MS + self.measure_ms + COUNT_MS) as f64 / 1000.0 + 0.3;
        Plan {
            schema: SCHEMA,
            name: "compare".to_owned(),
            seed: args.seed,
            groups: vec![Group {
                scenario: self.scenario.clone(),
                interleaved: false,
                rounds: args.rounds,
                timing,
                cells: vec![cell(0), cell(1)],
            }],
            omitted: Vec::new(),
            estimated_s: (block_s * 2.0 * f64::from(args.rounds)).ceil() as u64,
        }
    }

    /// Measures both; `None` when it was interrupted.
    fn measure(
        &self,
        session: &Session,
        args: &CompareArgs,
        output: &Output,
    ) -> anyhow::Result<Option<Comparison>> {
        let outcome = run::execute(session, &self.plan(args), &args.out, output)?;
        if outcome.interrupted {
            return Ok(None);
        }
        let records = read_records(&outcome.folder.join("records.jsonl"))?.records;
        for (index, spec) in self.specs.iter().enumerate() {
            let side = side(&records, spec, index);
            if let Some(reason) = side.iter().find_map(|record| why_not(record)) {
                anyhow::bail!("{spec} was not measured: {reason}");
            }
        }
        let rows = rows(&records, &self.specs, self.ranked_by);
        let mut doubts = doubts(&records, &self.specs, self.ranked_by);
        doubts.extend(too_few(&rows, self.ranked_by));
        Ok(Some(Comparison {
            doubts,
            scenario: self.scenario.clone(),
            first: self.specs[0].clone(),
            second: self.specs[1].clone(),
            run: outcome.run,
            rows,
            limited_by: [0, 1].map(|index| limits(&side(&records, &self.specs[index], index))),
        }))
    }
}

/// Whether B is slower than A by more than was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slowdown {
    No,
    Undecided,
    Yes,
}

impl Comparison {
    fn slowdown(&self, ranked_by: &str, percent: f64) -> Slowdown {
        let Some(row) = self.rows.iter().find(|row| row.metric == ranked_by) else {
            return Slowdown::Undecided;
        };
        if !self.doubts.is_empty() {
            return Slowdown::Undecided;
        }
        slowdown(&row.ratio, row.more_is_better, percent)
    }

    /// With the figures, as a reader of them alone would take them for an answer; in JSON they are a
    /// field.
    fn say_doubts(&self, output: &Output) {
        if output.format == Format::Json {
            return;
        }
        for doubt in &self.doubts {
            output.line(&format!("the comparison decides nothing: {doubt}"));
        }
    }

    fn print(&self, output: &Output) -> anyhow::Result<()> {
        if output.format == Format::Json {
            return output.json(self);
        }
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                vec![
                    format!("{} ({})", row.metric, row.unit),
                    format!("{:.4}", row.first.point),
                    format!("{:.4}", row.second.point),
                    format!(
                        "{:.3} ({:.3} to {:.3})",
                        row.ratio.point, row.ratio.low, row.ratio.high
                    ),
                    word(row).to_owned(),
                ]
            })
            .collect();
        let (first, second) = (self.first.to_string(), self.second.to_string());
        output.line(&format!("{}: A = {first}, B = {second}", self.scenario));
        output.table(&["metric", "A", "B", "B / A", "B is"], &rows);
        if let Some(row) = self.rows.first() {
            let (rounds, confidence) = (row.ratio.samples, row.ratio.confidence * 100.0);
            output.line(&format!(
                "{rounds} rounds of fresh processes, {confidence:.1} % intervals; run {}",
                self.run
            ));
        }
        for (name, limits) in [("A", &self.limited_by[0]), ("B", &self.limited_by[1])] {
            let words: Vec<String> = limits
                .iter()
                .map(|(limit, rounds)| format!("{limit} in {rounds}"))
                .collect();
            output.line(&format!("{name} was limited by: {}", words.join(", ")));
        }
        Ok(())
    }
}

fn slowdown(ratio: &Interval, more_is_better: bool, percent: f64) -> Slowdown {
    let allowed = 1.0 + percent / 100.0;
    let (low, high) = if more_is_better {
        (1.0 / ratio.high, 1.0 / ratio.low)
    } else {
        (ratio.low, ratio.high)
    };
    if ratio.confidence == 0.0 {
        Slowdown::Undecided
    } else if low > allowed {
        Slowdown::Yes
    } else if high < allowed {
        Slowdown::No
    } else {
        Slowdown::Undecided
    }
}

/// Two are level only when the whole interval of their ratio is this close to 1, as in a ranking.
const LEVEL_WITHIN: f64 = 0.05;

fn word(row: &Row) -> &'static str {
    let level = row.ratio.low >= 1.0 - LEVEL_WITHIN && row.ratio.high <= 1.0 + LEVEL_WITHIN;
    let better = if row.more_is_better {
        row.ratio.low > 1.0
    } else {
        row.ratio.high < 1.0
    };
    let worse = if row.more_is_better {
        row.ratio.high < 1.0
    } else {
        row.ratio.low > 1.0
    };
    match (row.ratio.confidence > 0.0, better, worse) {
        (true, true, _) => "better",
        (true, _, true) => "worse",
        (true, ..) if level => "level",
        (true, ..) => "not told apart",
        (false, ..) => "unknown: too few rounds",
    }
}

/// The records of A (0) or B (1).
fn side<'a>(
    records: &'a [RunRecord],
    spec: &ImplementationSpec,
    index: usize,
) -> Vec<&'a RunRecord> {
    let two_copies = records.iter().any(|record| record.replica == 1);
    let replica = u8::from(two_copies && index == 1);
    records
        .iter()
        .filter(|record| record.implementation == *spec && record.replica == replica)
        .collect()
}

/// Why the metric that ranks the scenario compares nothing, of A and of B.
fn doubts(records: &[RunRecord], specs: &[ImplementationSpec; 2], ranked_by: &str) -> Vec<String> {
    let Some(metric) = metric(ranked_by) else {
        return Vec::new();
    };
    let same = specs[0] == specs[1];
    let doubt = |index: usize| {
        let replica = u8::from(same && index == 1);
        let because = ringside_judge::doubt(records, &specs[index], replica, metric)?;
        Some(format!(
            "{} ({}): {because}",
            ["A", "B"][index],
            specs[index]
        ))
    };
    [0, 1].into_iter().filter_map(doubt).collect()
}

/// Whether the rounds are too few for the interval that decides.
fn too_few(rows: &[Row], ranked_by: &str) -> Option<String> {
    let Some(row) = rows.iter().find(|row| row.metric == ranked_by) else {
        return Some(format!("no round of both has a figure for {ranked_by}"));
    };
    (row.ratio.confidence == 0.0).then(|| {
        let rounds = row.ratio.samples;
        format!("{rounds} rounds are too few for an interval; give --rounds {SAMPLES_MIN} or more")
    })
}

fn why_not(record: &RunRecord) -> Option<String> {
    match &record.status {
        Status::Completed => None,
        Status::Failed { because, stderr } => Some(format!("{because} {stderr}")),
        Status::Skipped { reason } => Some(reason.clone()),
        Status::Disqualified { because, .. } => Some(because.clone()),
    }
}

fn rows(
    records: &[RunRecord],
    specs: &[ImplementationSpec; 2],
    ranked_by: &'static str,
) -> Vec<Row> {
    let mut names = vec![ranked_by];
    names.extend(METRICS.iter().filter(|name| **name != ranked_by));
    names
        .into_iter()
        .filter_map(metric)
        .filter_map(|metric| row(records, specs, metric))
        .collect()
}

fn row(
    records: &[RunRecord],
    specs: &[ImplementationSpec; 2],
    metric: &'static Metric,
) -> Option<Row> {
    let figures = |index: usize| -> BTreeMap<u32, f64> {
        side(records, &specs[index], index)
            .into_iter()
            .filter_map(|record| Some((record.round, metric.figure(record.measures.as_ref()?)?)))
            .collect()
    };
    let (first, second) = (figures(0), figures(1));
    let pairs: Vec<(f64, f64)> = second
        .iter()
        .filter_map(|(round, b)| Some((*b, *first.get(round)?)))
        .collect();
    let interval = |side: &BTreeMap<u32, f64>| {
        median_interval(
            &side.values().copied().collect::<Vec<_>>(),
            NOMINAL_CONFIDENCE,
        )
    };
    Some(Row {
        metric: metric.name,
        unit: metric.unit,
        more_is_better: metric.more_is_better,
        first: interval(&first)?,
        second: interval(&second)?,
        ratio: ratio_interval(&pairs, NOMINAL_CONFIDENCE)?,
    })
}

fn limits(records: &[&RunRecord]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for measures in records.iter().filter_map(|record| record.measures.as_ref()) {
        let limit = match measures.limited_by {
            Some(Limit::Server) => "the server",
            Some(Limit::Generator) => "the generator",
            Some(Limit::Neither) => "neither side",
            None => "unknown",
        };
        *counts.entry(limit).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(low: f64, high: f64, more_is_better: bool, expected: Slowdown) {
        let ratio = Interval {
            low,
            point: f64::midpoint(low, high),
            high,
            confidence: 0.98,
            samples: 12,
        };
        assert_eq!(
            slowdown(&ratio, more_is_better, 5.0),
            expected,
            "{low} to {high}"
        );
    }

    #[test]
    fn a_slowdown_needs_the_whole_interval_beyond_the_threshold() {
        check(0.98, 1.02, true, Slowdown::No);
        check(0.80, 0.90, true, Slowdown::Yes);
        check(0.93, 0.99, true, Slowdown::Undecided);
        check(1.06, 1.20, false, Slowdown::Yes);
        check(0.50, 0.60, false, Slowdown::No);
    }

    #[test]
    fn level_is_said_only_of_narrow_intervals() {
        let said = |low, high| {
            let ratio = Interval {
                low,
                point: 1.0,
                high,
                confidence: 0.98,
                samples: 12,
            };
            let row = Row {
                metric: "throughput",
                unit: "op/s",
                more_is_better: true,
                first: ratio,
                second: ratio,
                ratio,
            };
            word(&row)
        };
        assert_eq!(said(0.97, 1.03), "level");
        assert_eq!(said(0.74, 1.08), "not told apart");
        assert_eq!(said(1.01, 1.03), "better");
    }

    #[test]
    fn too_few_rounds_never_decide() {
        let ratio = Interval {
            low: 0.5,
            point: 0.5,
            high: 0.5,
            confidence: 0.0,
            samples: 2,
        };
        assert_eq!(slowdown(&ratio, true, 5.0), Slowdown::Undecided);
    }
}
