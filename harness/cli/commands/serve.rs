//! `ringside serve`: one server in this process, until SIGTERM or SIGINT.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use ringside_contract::operations::BuiltProgram;
use ringside_contract::{
    Counters, Host, ImplementationSpec, ServeOptions, Service, StartError, Support, parse_duration,
};
use ringside_load::WorkerOrder;
use ringside_run::{Candidate, Subject, built_command};
use serde::Serialize;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::{Global, Refused, ServeArgs};
use crate::catalogue;
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::sampler::Sampler;
use crate::session::Conformance;

/// The line that says that the server accepts connections.
#[derive(Debug, Serialize)]
struct Ready {
    id: String,
    addr: SocketAddr,
    addrs: Vec<SocketAddr>,
    pid: u32,
    workers: usize,
    chosen: String,
}

/// Starts the server, prints the ready line, waits for a signal, prints the counters.
pub(crate) fn serve(global: &Global, args: &ServeArgs, output: &Output) -> anyhow::Result<Exit> {
    #[cfg(feature = "plant")]
    ringside_metal::plant::start().map_err(|error| UsageError(error.to_string()))?;
    let spec: ImplementationSpec = args
        .id
        .parse()
        .map_err(|error| UsageError(format!("{error}")))?;
    let catalogue = catalogue::catalogue(global)?;
    let subject = catalogue
        .subject(&spec)
        .map_err(|error| UsageError(error.to_string()))?;
    if subject.candidate.manifest().is_some() {
        return Err(UsageError(format!("{spec} is an outside program: start it by itself")).into());
    }
    allowed(args, &subject)?;
    let head_deadline = head_deadline(args.head_deadline.as_deref())?;
    if args.refuse.contains(&Refused::IoUring) {
        ringside_metal::seccomp::refuse_io_uring()
            .context("failed to refuse io_uring to this process")?;
    }
    let host = ringside_metal::host::probe();
    if let Support::No { reason } = subject.candidate.support(&host, &subject.axes) {
        anyhow::bail!("{spec} cannot run here: {reason}");
    }
    if let Some(program) = subject.candidate.built_program() {
        return become_program(program, &host, args, &subject);
    }
    // Before any thread exists, so that all of them leave the signals to the iterator.
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("failed to watch for signals")?;
    // A soft limit of 1024, which is usual, is less than the connections of some scenarios. nginx and
    // the generator raise theirs too.
    ringside_metal::raise_descriptor_limit();
    let sampler = args.sample.as_deref().map(Sampler::start).transpose()?;
    let options = options(args, &subject, &host, head_deadline);
    let service = start(subject.candidate, &options)
        .map_err(option)
        .with_context(|| format!("failed to start {spec} on {}", args.listen))?;
    let endpoint = service.endpoint();
    output.json(&Ready {
        id: subject.spec.to_string(),
        addr: *endpoint
            .addresses
            .first()
            .context("the server has no address")?,
        addrs: endpoint.addresses.clone(),
        pid: std::process::id(),
        workers: endpoint.workers,
        chosen: endpoint.chosen.clone(),
    })?;
    signals.forever().next();
    let counters = service
        .stop()
        .with_context(|| format!("failed to stop {spec}"))?;
    sampler.map(Sampler::end).transpose()?;
    output.json(&counters)?;
    warn_of_pauses(&counters, output);
    Ok(Exit::Ok)
}

/// Goes on as the program that was built in the way that the id says: the same process, so that whoever started this one
/// need not know.
fn become_program(
    program: BuiltProgram,
    host: &Host,
    args: &ServeArgs,
    subject: &Subject<'_>,
) -> anyhow::Result<Exit> {
    let spec = &subject.spec;
    if args.sample.is_some() {
        return Err(UsageError(format!(
            "--sample: {spec} is a program of its own, which cannot sample itself; profile it with perf"
        ))
        .into());
    }
    let command = built_command(program, host).map_err(anyhow::Error::msg)?;
    let order = WorkerOrder {
        id: spec.id.to_string(),
        listen: args.listen,
        workers: args.workers.unwrap_or(1),
        cpus: args.cpus.clone(),
        commit: env!("RINGSIDE_COMMIT").to_owned(),
    };
    let (first, rest) = command.split_first().context("no program was found")?;
    let error = Command::new(first)
        .args(rest)
        .arg(serde_json::to_string(&order)?)
        .exec();
    Err(error).with_context(|| format!("failed to start {}", first.display()))
}

fn options(
    args: &ServeArgs,
    subject: &Subject<'_>,
    host: &Host,
    head_deadline: Option<Duration>,
) -> ServeOptions {
    let own = match args.cpus.len() {
        0 => host.cpus.len(),
        some => some,
    };
    ServeOptions {
        listen: args.listen,
        workers: args.workers.unwrap_or(own),
        cpus: args.cpus.clone(),
        axes: subject.axes.clone(),
        root: args.root.clone(),
        state: args.state.clone(),
        congestion: args.congestion.clone(),
        head_deadline,
    }
}

/// Starts ours; an outside program was refused before.
fn start(candidate: Candidate<'_>, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
    match candidate {
        Candidate::Own(implementation) => implementation.start(options),
        Candidate::InProcess(operation) => {
            ringside_load::serve_in_process(operation, options, Conformance::run_in_process)
        }
        Candidate::Program(manifest) => Err(StartError::Unsupported {
            reason: format!("{} is an outside program", manifest.meta().id),
        }),
    }
}

/// Clients that waited since something was used up looked slow, and nobody else says why.
fn warn_of_pauses(counters: &Counters, output: &Output) {
    if let Some(&pauses) = counters.get("accept_pauses")
        && pauses > 0
    {
        output.warn(&format!(
            "accepting paused {pauses} times, since no descriptor, memory or thread was left: clients waited; \
             raise the limit (ulimit -n, vm.max_map_count) or take fewer connections"
        ));
    }
}

/// An option that is missing or wrong is the caller's to mend.
fn option(error: StartError) -> anyhow::Error {
    match error {
        StartError::Option { .. } => UsageError(error.to_string()).into(),
        other => other.into(),
    }
}

/// Options that must not be taken in silence.
fn allowed(args: &ServeArgs, subject: &Subject<'_>) -> Result<(), UsageError> {
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        return Err(UsageError(format!(
            "{} can be reached from other machines; give --allow-remote if that is meant",
            args.listen
        )));
    }
    if args.state.is_some() {
        keeps(subject)?;
    }
    Ok(())
}

/// A folder for what outlives the server is of use to those that keep anything, which is their axis
/// `persistence`. Others would leave it empty, and nobody would know before the sessions are gone.
fn keeps(subject: &Subject<'_>) -> Result<(), UsageError> {
    let id = &subject.spec.id;
    match subject.axes.value("persistence") {
        Some("file") => Ok(()),
        Some(_) => {
            let mut keeping = subject.spec.clone();
            keeping.axes.set("persistence", "file");
            Err(UsageError(format!(
                "--state: {} keeps nothing; serve '{keeping}', or leave --state out",
                subject.spec
            )))
        }
        None => Err(UsageError(format!(
            "--state: {id} has nothing that outlives it; leave --state out"
        ))),
    }
}

fn head_deadline(text: Option<&str>) -> Result<Option<Duration>, UsageError> {
    let read = |text: &str| {
        parse_duration(text).ok_or_else(|| {
            UsageError(format!(
                "--head-deadline {text}: expected a time such as 500ms or 2s"
            ))
        })
    };
    text.map(read).transpose()
}
