//! What every measuring command sets up the same way: the machine, the catalogue, the signals.

use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_conform::{Case, Outcome, Target};
use ringside_contract::operations::{InProcess, Tested};
use ringside_contract::{Build, Host, Placement, Settings};
use ringside_run::{
    Catalogue, LOAD_SLACK, Qualifier, QualifyTarget, READY_LIMIT, RunOptions, Stop,
};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::args::Global;
use crate::catalogue;
use crate::exit::UsageError;

/// Congestion control of both sides of every block. The system's is often BBR, which halves `sendfile`
/// on loopback (100 MB: 36-43 ms against 19-22 ms); cubic is in every kernel.
const CONGESTION: &str = "cubic";

/// Failed cases after which a server is not checked further. A server that answers nothing costs the
/// time-out of every case, minutes in all; five proofs say enough.
const FAILURES_MAX: usize = 5;

/// What a run needs besides its plan.
pub(crate) struct Session {
    /// What can be named.
    pub(crate) catalogue: Catalogue,
    /// The machine.
    pub(crate) host: Host,
    build: Build,
    executable: PathBuf,
    /// Which processors each role gets.
    pub(crate) placement: Placement,
    /// Set by SIGINT and SIGTERM.
    pub(crate) stop: Stop,
    conformance: Conformance,
}

impl Session {
    /// Probes the machine and takes over SIGINT and SIGTERM; a second signal ends at once.
    pub(crate) fn open(global: &Global) -> anyhow::Result<Self> {
        let host = ringside_metal::host::probe();
        let placement = ringside_run::place(&host, global.cores)
            .map_err(|error| UsageError(error.to_string()))?;
        let executable = own_executable()?;
        let stop = watch_signals()?;
        Ok(Self {
            catalogue: catalogue::catalogue(global)?,
            build: build(&executable)?,
            placement,
            host,
            executable,
            stop,
            conformance: Conformance,
        })
    }

    /// The options of a run whose records go below `reports`.
    pub(crate) fn options<'a>(&'a self, reports: &'a Path) -> RunOptions<'a> {
        RunOptions {
            catalogue: &self.catalogue,
            host: &self.host,
            build: &self.build,
            executable: &self.executable,
            reports,
            placement: self.placement.clone(),
            congestion: Some(CONGESTION.to_owned()),
            ready_limit: READY_LIMIT,
            load_slack: LOAD_SLACK,
            stop: self.stop.clone(),
            qualifier: &self.conformance,
        }
    }

    /// The conformance cases.
    pub(crate) fn qualifier(&self) -> &dyn Qualifier {
        &self.conformance
    }

    /// How this program was built.
    pub(crate) const fn build(&self) -> &Build {
        &self.build
    }

    /// How a server is started outside of a run.
    pub(crate) fn launch(&self) -> ringside_run::Launch<'_> {
        ringside_run::Launch {
            executable: &self.executable,
            host: &self.host,
            placement: &self.placement,
            congestion: Some(CONGESTION),
            ready_limit: READY_LIMIT,
            load_slack: LOAD_SLACK,
            stop: &self.stop,
        }
    }
}

/// Takes over SIGINT and SIGTERM; a second signal ends at once.
pub(crate) fn watch_signals() -> anyhow::Result<Stop> {
    let stop = Stop::default();
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.flag())
            .and_then(|_| signal_hook::flag::register(signal, stop.flag()))
            .context("failed to watch for signals")?;
    }
    Ok(stop)
}

/// How this program was built.
pub(crate) fn own_build() -> anyhow::Result<Build> {
    build(&own_executable()?)
}

fn own_executable() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("failed to find this program's own file")
}

/// What `build.rs` wrote down, and the hash of the binary itself.
fn build(executable: &Path) -> anyhow::Result<Build> {
    Ok(Build {
        commit: env!("RINGSIDE_COMMIT").to_owned(),
        rustc: env!("RINGSIDE_RUSTC").to_owned(),
        flags: env!("RINGSIDE_FLAGS").to_owned(),
        profile: env!("RINGSIDE_PROFILE").to_owned(),
        target: env!("RINGSIDE_TARGET").to_owned(),
        binary: ringside_run::short_hash(
            &std::fs::read(executable)
                .with_context(|| format!("failed to read {}", executable.display()))?,
        ),
    })
}

/// Runs a family's conformance cases before anything of it is timed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conformance;

impl Conformance {
    /// The cases of a family; none where the family has none.
    pub(crate) fn cases(family: &str) -> &'static [Case] {
        match family {
            "affinity" => ringside_conform::affinity::cases(),
            "backends" => ringside_conform::backends::cases(),
            "build" => ringside_conform::build::cases(),
            "codec" => ringside_conform::codec::cases(),
            "counters" => ringside_conform::counters::cases(),
            "echo" => ringside_conform::echo::cases(),
            "events" => ringside_conform::events::cases(),
            "hash" => ringside_conform::hash::cases(),
            "http" => ringside_conform::http::cases(),
            "idioms" => ringside_conform::idioms::cases(),
            "log" => ringside_conform::log::cases(),
            "map" => ringside_conform::map::cases(),
            "mqtt" => ringside_conform::mqtt::cases(),
            "numa" => ringside_conform::numa::cases(),
            "pool" => ringside_conform::pool::cases(),
            "rate_limit" => ringside_conform::rate_limit::cases(),
            "ring" => ringside_conform::ring::cases(),
            _ => &[],
        }
    }

    /// The quality tests of a family; most families have none.
    pub(crate) fn quality_tests(family: &str) -> &'static [Case] {
        match family {
            "events" => ringside_conform::events::quality(),
            "hash" => ringside_conform::hash::quality(),
            "rate_limit" => ringside_conform::rate_limit::quality(),
            "ring" => ringside_conform::ring::quality(),
            _ => &[],
        }
    }

    /// Runs a case of an operation on a structure in this process, which is a worker.
    pub(crate) fn run_in_process(
        operation: &dyn InProcess,
        axes: &Settings,
        case: &str,
    ) -> Result<(), String> {
        let tested = operation.tested(axes).map_err(|error| error.to_string())?;
        let outcome = match tested {
            Tested::Affinity(affinity) => ringside_conform::affinity::run(case, affinity.as_ref()),
            Tested::Backends(backends) => ringside_conform::backends::run(case, backends.as_ref()),
            Tested::Build(build) => ringside_conform::build::run(case, build.as_ref()),
            Tested::Codec(codec) => ringside_conform::codec::run(case, codec.as_ref()),
            Tested::Counter(counter) => ringside_conform::counters::run(case, counter.as_ref()),
            Tested::Events(events) => ringside_conform::events::run(case, events.as_ref()),
            Tested::Hash(function) => ringside_conform::hash::run(case, function.as_ref()),
            Tested::Idiom(idiom) => ringside_conform::idioms::run(case, idiom.as_ref()),
            Tested::Log(log) => ringside_conform::log::run(case, log.as_ref()),
            Tested::Map(map) => ringside_conform::map::run(case, map.as_ref()),
            Tested::Numa(numa) => ringside_conform::numa::run(case, numa.as_ref()),
            Tested::Pool(pool) => ringside_conform::pool::run(case, &pool),
            Tested::RateLimit(rate) => ringside_conform::rate_limit::run(case, rate.as_ref()),
            Tested::Ring(ring) => ringside_conform::ring::run(case, ring.as_ref()),
        };
        outcome.map_err(|failure| failure.to_string())
    }
}

impl Qualifier for Conformance {
    fn prepare(&self, family: &str, root: &Path) -> std::io::Result<()> {
        match family {
            "http" => ringside_conform::http::prepare(root),
            _ => Ok(()),
        }
    }

    fn qualify(&self, target: &QualifyTarget<'_>, stop: &Stop) -> Result<(), String> {
        let family = &target.implementation.id.family;
        let server = server(target);
        let cases = Self::cases(family);
        let unknown = |known: &&String| !cases.iter().any(|case| case.name == **known);
        if let Some(unknown) = target.fails.iter().find(unknown) {
            return Err(format!(
                "its manifest names `{unknown}` under fails, which is no case of {family}; `ringside \
                 verify` names them"
            ));
        }
        let failures = check_all(cases, &server, target.fails, stop);
        failures.said().map_or(Ok(()), Err)
    }

    fn quality(&self, target: &QualifyTarget<'_>, stop: &Stop) -> Result<Option<String>, String> {
        let tests = Self::quality_tests(&target.implementation.id.family);
        let failures = check_all(tests, &server(target), target.fails, stop);
        match failures.said() {
            Some(said) if failures.is_unanswered => Err(said),
            said => Ok(said),
        }
    }
}

/// Cases that failed.
#[derive(Default)]
struct Failures {
    sentences: Vec<String>,
    /// One of them could not be tried to its end.
    is_unanswered: bool,
}

impl Failures {
    /// In one sentence, if there are any.
    fn said(&self) -> Option<String> {
        (!self.sentences.is_empty()).then(|| self.sentences.join("; "))
    }
}

fn server(target: &QualifyTarget<'_>) -> Target {
    Target {
        address: target.address,
        root: Some(target.root.to_owned()),
        cannot: target.cannot.to_vec(),
    }
}

/// Runs cases, but for those that are known to fail.
fn check_all(cases: &[Case], server: &Target, known: &[String], stop: &Stop) -> Failures {
    let mut failures = Failures::default();
    for (index, case) in cases.iter().enumerate() {
        if stop.is_set() {
            failures.is_unanswered = true;
            let interrupted = "the check was interrupted".to_owned();
            failures.sentences.push(interrupted);
            break;
        }
        if failures.sentences.len() == FAILURES_MAX {
            let left = format!("and {} more cases not run", cases.len() - index);
            failures.sentences.push(left);
            break;
        }
        if let Outcome::Failed(failure) = ringside_conform::check(case, server)
            && !known.iter().any(|known| known == case.name)
        {
            failures.is_unanswered |= failure.is_unanswered;
            let sentence = format!("{}: {failure}", case.name);
            failures.sentences.push(sentence);
        }
    }
    failures
}
