//! `ringside verify`: the conformance cases of a family, over ours or anybody's program.

use std::net::SocketAddr;

use anyhow::Context;
use ringside_conform::{Case, Outcome, Target};
use ringside_contract::{Confinement, ImplementationSpec, Support};
use ringside_run::{Launch, Qualifier, ServerOrder, StartFailure, Stop, place_for_cases};

use crate::args::{Format, Global, VerifyArgs};
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::session::{Conformance, Session, watch_signals};

/// A case and how it ended.
type CaseResult = (&'static Case, Outcome);

/// Those that were run, in the order of the list.
type Results = Vec<CaseResult>;

/// Starts the server (unless it runs already), runs the cases, prints how each ended.
pub(crate) fn verify(global: &Global, args: &VerifyArgs, output: &Output) -> anyhow::Result<Exit> {
    match (&args.id, args.target) {
        (_, Some(address)) => verify_target(address, args, output),
        (Some(id), None) => {
            let session = Session::open(global)?;
            let run = verify_started(&session, id, output);
            end(run, &session.stop, output)
        }
        (None, None) => Err(UsageError("give an ID, or --target with --family".to_owned()).into()),
    }
}

/// The cases send what a server has to refuse, and open connections that stay half open: against a
/// machine of somebody else that is an attack, so it has to be meant.
fn verify_target(address: SocketAddr, args: &VerifyArgs, output: &Output) -> anyhow::Result<Exit> {
    if !address.ip().is_loopback() && !args.allow_remote {
        return Err(UsageError(format!(
            "{address} is not on this machine; give --allow-remote if that server is yours to check"
        ))
        .into());
    }
    let stop = watch_signals()?;
    let family = args.family.as_deref().unwrap_or_default();
    let target = Target {
        address,
        root: args.root.clone(),
        cannot: Vec::new(),
    };
    end(run_cases(family, &target, &stop), &stop, output)
}

/// Prints the results. Those of an interrupted check are printed as far as it went; a server that failed
/// to start because of the interruption failed at nothing.
fn end(run: anyhow::Result<Results>, stop: &Stop, output: &Output) -> anyhow::Result<Exit> {
    let interrupted = stop.is_set();
    let results = match run {
        Ok(results) => results,
        Err(_) if interrupted => Results::new(),
        Err(error) => return Err(error),
    };
    let exit = print(&results, output)?;
    if interrupted {
        output.note("interrupted before all cases were run");
        return Ok(Exit::Interrupted);
    }
    Ok(exit)
}

fn verify_started(session: &Session, id: &str, output: &Output) -> anyhow::Result<Results> {
    let spec: ImplementationSpec = id.parse().map_err(|error| UsageError(format!("{error}")))?;
    let subject = session
        .catalogue
        .subject(&spec)
        .map_err(|error| UsageError(error.to_string()))?;
    if let Support::No { reason } = subject.candidate.support(&session.host, &subject.axes) {
        anyhow::bail!("{spec} cannot run here: {reason}");
    }
    let folder = Scratch::new()?;
    let (root, tmp) = (folder.0.join("root"), folder.0.join("tmp"));
    for path in [&root, &tmp] {
        std::fs::create_dir_all(path)
            .with_context(|| format!("failed to create {}", path.display()))?;
    }
    Conformance
        .prepare(&spec.id.family, &root)
        .with_context(|| {
            format!(
                "failed to write the files of the cases into {}",
                root.display()
            )
        })?;
    let started = |failure: StartFailure| {
        anyhow::Error::new(failure).context(format!("{spec} did not start"))
    };
    if let Some(manifest) = subject.candidate.manifest() {
        let (build, log) = (folder.0.join("build"), folder.0.join("build.stderr"));
        ringside_run::build(manifest, &build, &log, &session.launch()).map_err(started)?;
    }
    let log = folder.0.join("server.stderr");
    let placement = place_for_cases(subject.candidate, &session.host, &session.placement);
    let order = ServerOrder {
        launch: Launch {
            placement: &placement,
            ..session.launch()
        },
        subject: &subject,
        root: &root,
        tmp: &tmp,
        log: &log,
        head_deadline: Some(ringside_run::HEAD_DEADLINE),
        confinement: Confinement::default(),
        sample: None,
        environment: &[],
    };
    let server = order.start().1.map_err(started)?;
    let address = *server
        .addresses
        .first()
        .context("the server named no address")?;
    let target = Target {
        address,
        root: Some(root.clone()),
        cannot: subject.candidate.cannot(),
    };
    let results = run_cases(&spec.id.family, &target, &session.stop);
    server.stop();
    if let Ok(results) = &results {
        say_stderr(results, &ringside_run::tail(&log), output);
    }
    results
}

/// What the server said is worth a look when a case failed, and goes with its folder.
fn say_stderr(results: &[CaseResult], stderr: &str, output: &Output) {
    let failed = |(_, outcome): &CaseResult| matches!(outcome, Outcome::Failed(_));
    if results.iter().any(failed) && !stderr.trim().is_empty() {
        output.note(&format!(
            "the server's standard error ends with:\n{}",
            stderr.trim_end()
        ));
    }
}

/// Runs the cases, or those before an interruption.
fn run_cases(family: &str, target: &Target, stop: &Stop) -> anyhow::Result<Results> {
    let cases = Conformance::cases(family);
    if cases.is_empty() {
        return Err(UsageError(format!(
            "there are no cases for `{family}`; there are for affinity, backends, build, codec, counters, echo, events, \
             hash, http, idioms, log, map, mqtt, numa, pool, rate_limit and ring"
        ))
        .into());
    }
    let mut results = Results::new();
    for case in cases.iter().chain(Conformance::quality_tests(family)) {
        let outcome = ringside_conform::check(case, target);
        // A signal from the terminal reaches the server too, and a case against a server that is gone
        // proves nothing.
        if stop.is_set() {
            break;
        }
        results.push((case, outcome));
    }
    Ok(results)
}

fn print(results: &[CaseResult], output: &Output) -> anyhow::Result<Exit> {
    let words = |outcome: &Outcome| match outcome {
        Outcome::Passed => ("passed", String::new()),
        Outcome::Failed(failure) => ("failed", failure.to_string()),
        Outcome::NotApplicable { lacks } => ("n/a", format!("the program has no {lacks}")),
    };
    let failed = results
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
        .count();
    if output.format == Format::Json {
        let cases: Vec<_> = results
            .iter()
            .map(|(case, outcome)| {
                let (state, because) = words(outcome);
                serde_json::json!({ "id": case.name, "about": case.about, "state": state, "because": because })
            })
            .collect();
        output.json(&cases)?;
    } else {
        let rows: Vec<Vec<String>> = results
            .iter()
            .filter(|(_, outcome)| output.verbose || !matches!(outcome, Outcome::Passed))
            .map(|(case, outcome)| {
                let (state, because) = words(outcome);
                vec![
                    case.name.to_owned(),
                    state.to_owned(),
                    case.about.to_owned(),
                    because,
                ]
            })
            .collect();
        if !rows.is_empty() {
            output.table(
                &["case", "state", "what must happen", "what happened"],
                &rows,
            );
        }
        output.line(&format!(
            "{} of {} cases passed, {failed} failed",
            results.len() - failed - not_applicable(results),
            results.len()
        ));
    }
    Ok(if failed == 0 { Exit::Ok } else { Exit::Error })
}

fn not_applicable(results: &[CaseResult]) -> usize {
    results
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::NotApplicable { .. }))
        .count()
}

/// A folder of its own that is removed at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("ringside-verify-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("failed to create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left-overs in the temporary folder harm nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
