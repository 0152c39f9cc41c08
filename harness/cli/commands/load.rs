//! `ringside load`: one scenario against a running server.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use ringside_contract::{
    BlockTiming, Latency, Measures, Params, Scenario, ScenarioSpec, parse_duration,
};
use ringside_load::{DriveOptions, LoadError};
use ringside_run::Catalogue;
use serde::Serialize;

use crate::args::{Format, Global, LoadArgs};
use crate::catalogue;
use crate::exit::{Exit, UsageError};
use crate::output::Output;

/// What is printed instead of measures when a promise of the scenario was broken.
#[derive(Debug, Serialize)]
struct Broken {
    violation: String,
}

/// Drives the load and prints what was measured.
pub(crate) fn load(global: &Global, args: &LoadArgs, output: &Output) -> anyhow::Result<Exit> {
    let catalogue = catalogue::catalogue(global)?;
    let (scenario, params) = scenario(&catalogue, &args.scenario)?;
    let options = DriveOptions {
        targets: args.target.clone(),
        seed: args.seed,
        timing: BlockTiming {
            warmup_ms: milliseconds("--warmup", &args.warmup)?,
            measure_ms: milliseconds("--measure", &args.measure)?,
            count_ms: milliseconds("--count", &args.count)?,
        },
        cpus: args.cpus.clone(),
        watch: args.watch,
        congestion: args.congestion.clone(),
        allow_remote: args.allow_remote,
        server_cores: args.server_cores,
    };
    check_watched(args.watch)?;
    if let Some(root) = &args.root {
        ringside_run::write_fixtures(root, scenario, &params).with_context(|| {
            format!(
                "failed to write the scenario's files into {}",
                root.display()
            )
        })?;
    }
    let measures = ringside_load::drive(scenario, &params, &options)
        .map_err(usage)
        .with_context(|| format!("failed to load {} with {}", args.target[0], params.spec()))?;
    if let Err(violation) = scenario.verify(&params, &measures) {
        return broken(output, violation.to_string());
    }
    match output.format {
        Format::Json => output.json(&measures)?,
        Format::Human | Format::Md => show(output, scenario.meta().operations, &measures),
    }
    Ok(Exit::Ok)
}

/// The scenario of that name, with its parameters.
pub(crate) fn scenario(
    catalogue: &Catalogue,
    name: &str,
) -> Result<(&'static dyn Scenario, Params), UsageError> {
    let spec: ScenarioSpec = name
        .parse()
        .map_err(|error| UsageError(format!("{error}")))?;
    catalogue
        .scenario(&spec)
        .map_err(|error| UsageError(error.to_string()))
}

/// Whether there is such a process: what a process uses that is not there would read as nothing.
fn check_watched(watch: Option<u32>) -> Result<(), UsageError> {
    match watch {
        Some(pid) if pid == 0 || !Path::new(&format!("/proc/{pid}")).exists() => {
            Err(UsageError(format!(
                "--watch {pid}: there is no such process; give the id of the server, as `pgrep` or the \
                 line of `ringside serve` has it"
            )))
        }
        _ => Ok(()),
    }
}

/// A target or a setting that is refused is the caller's to mend.
pub(crate) fn usage(error: LoadError) -> anyhow::Error {
    match error {
        LoadError::Remote { .. } => UsageError(error.to_string()).into(),
        // The cause names the parameter and what it takes.
        LoadError::Params(cause) => UsageError(cause.to_string()).into(),
        other => other.into(),
    }
}

fn broken(output: &Output, violation: String) -> anyhow::Result<Exit> {
    if output.format == Format::Json {
        output.json(&Broken { violation })?;
        return Ok(Exit::Error);
    }
    anyhow::bail!("the answers are not usable: {violation}")
}

/// A time of an option, in milliseconds.
pub(crate) fn milliseconds(option: &str, text: &str) -> Result<u64, UsageError> {
    let time = parse_duration(text).filter(|time| *time <= Duration::from_secs(3600));
    let time = time.ok_or_else(|| {
        UsageError(format!(
            "{option} {text}: expected a time of at most an hour, such as 500ms or 5s"
        ))
    })?;
    Ok(u64::try_from(time.as_millis()).expect("an hour fits"))
}

fn show(output: &Output, operations: &str, measures: &Measures) {
    let mut rows = vec![
        vec![
            format!("{operations} a second"),
            format!("{:.0}", measures.throughput_per_s),
        ],
        vec![
            "errors, corrupt, timed out".to_owned(),
            format!(
                "{}, {}, {}",
                measures.errors, measures.corrupt, measures.timeouts
            ),
        ],
        vec![
            "late sends".to_owned(),
            format!("{} of {}", measures.late_sends, measures.offered),
        ],
        vec![
            "received".to_owned(),
            format!("{:.1} MB", measures.bytes_received as f64 / 1e6),
        ],
        vec![
            "generator, cores busy".to_owned(),
            format!("{:.2}", measures.generator.cores_busy),
        ],
    ];
    if let Some(server) = &measures.server {
        rows.push(vec![
            "server, cores busy".to_owned(),
            format!("{:.2}", server.cores_busy),
        ]);
        rows.push(vec![
            "server, peak resident".to_owned(),
            format!("{:.1} MB", server.rss_peak_bytes as f64 / 1e6),
        ]);
        if measures.operations > 0 {
            let each = server.cpu_ns as f64 / measures.operations as f64 / 1000.0;
            rows.push(vec![
                "server time an operation".to_owned(),
                format!("{each:.2} us"),
            ]);
        }
    }
    rows.extend(measures.latency.iter().map(latency_row));
    for step in &measures.sweep {
        rows.push(vec![
            format!("at {:.0} a second", step.offered_per_s),
            format!(
                "{:.0} done, P50 {:.0} us, P99 {:.0} us",
                step.achieved_per_s, step.latency.p50_us, step.latency.p99_us
            ),
        ]);
    }
    output.table(&["measure", "value"], &rows);
    for sentence in measures.warnings.iter().chain(&measures.error_samples) {
        output.warn(sentence);
    }
}

fn latency_row(latency: &Latency) -> Vec<String> {
    let value = format!(
        "P50 {:.0} us, P99 {:.0} us, P99.9 {:.0} us, max {:.0} us",
        latency.p50_us, latency.p99_us, latency.p999_us, latency.max_us
    );
    vec!["latency".to_owned(), value]
}
