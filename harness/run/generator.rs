//! Running the load generator of a block against a server.

use std::path::Path;
use std::time::{Duration, Instant};

use ringside_contract::{BlockTiming, Measures, ScenarioSpec};
use serde::Deserialize;

use crate::child::{Child, Line, Order};
use crate::server::{Launch, Server, comma_list};

/// What opening and closing a connection may take. Between a million of them it was 100 us.
const CONNECTION_MAX: Duration = Duration::from_micros(500);

/// How often a wait looks whether something died or the run is to stop.
const LOOK: Duration = Duration::from_millis(50);
/// A generator may stretch its window to four times its length until enough operations ended.
const STRETCH: u64 = 5;
/// The system reports the end of a process at once; the output may close a little earlier.
const END_LIMIT: Duration = Duration::from_secs(5);
/// The longest line of a generator: histograms of a sweep are some hundred kilobytes.
const RESULT_MAX: usize = 64 << 20;

/// All that a load needs.
pub(crate) struct LoadOrder<'a> {
    pub(crate) launch: Launch<'a>,
    pub(crate) scenario: &'a ScenarioSpec,
    /// Measured windows: more than one for a sweep.
    pub(crate) steps: u64,
    /// Connections that it opens and closes.
    pub(crate) connections: u32,
    /// The part of its cores that the server may use.
    pub(crate) core_share: f64,
    pub(crate) timing: &'a BlockTiming,
    pub(crate) seed: u64,
    pub(crate) log: &'a Path,
}

/// How a load ended.
#[derive(Debug)]
pub(crate) enum LoadEnd {
    /// It was measured.
    Measured(Box<Measures>),
    /// It was not, and why.
    Failed(String),
    /// The run is to stop.
    Interrupted,
}

/// What the generator prints when a promise of the scenario was broken.
#[derive(Debug, Deserialize)]
struct Broken {
    violation: String,
}

impl LoadOrder<'_> {
    /// The command line.
    pub(crate) fn command(&self, server: &Server) -> Vec<String> {
        let targets: Vec<_> = server.addresses.iter().map(ToString::to_string).collect();
        let milliseconds = |time: u64| format!("{time}ms");
        let mut argv = vec![
            self.launch.executable.display().to_string(),
            "load".to_owned(),
            self.scenario.to_string(),
        ];
        let options = [
            ("--target", targets.join(",")),
            ("--watch", server.child.process.id().to_string()),
            ("--seed", self.seed.to_string()),
            ("--warmup", milliseconds(self.timing.warmup_ms)),
            ("--measure", milliseconds(self.timing.measure_ms)),
            ("--count", milliseconds(self.timing.count_ms)),
            ("--server-cores", self.server_cores().to_string()),
            ("--format", "json".to_owned()),
        ];
        for (option, value) in options {
            argv.extend([option.to_owned(), value]);
        }
        let cpus = &self.launch.placement.generator_cpus;
        if !cpus.is_empty() {
            argv.extend(["--cpus".to_owned(), comma_list(cpus)]);
        }
        if let Some(congestion) = self.launch.congestion {
            argv.extend(["--congestion".to_owned(), congestion.to_owned()]);
        }
        argv
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, argv: &[String], server: &Server) -> LoadEnd {
        match self.start(argv) {
            Ok(child) => self.follow(&child, server),
            Err(because) => LoadEnd::Failed(because),
        }
    }

    /// Starts it.
    pub(crate) fn start(&self, argv: &[String]) -> Result<Child, String> {
        Child::start(Order {
            argv,
            environment: Vec::new(),
            directory: None,
            cpus: &self.launch.placement.generator_cpus,
            log: self.log,
            inherit: None,
            line_max: RESULT_MAX,
        })
    }

    /// Waits for its end.
    pub(crate) fn follow(&self, child: &Child, server: &Server) -> LoadEnd {
        let began = Instant::now();
        let limit = self.limit();
        let mut last = String::new();
        loop {
            match child.line(LOOK) {
                Line::Text(line) if !line.is_empty() => last = line,
                Line::Text(_) => {}
                Line::Closed => return self.conclude(child, &last),
                Line::Nothing => {}
            }
            if self.launch.stop.is_set() {
                return LoadEnd::Interrupted;
            }
            if let Some(ended) = server.child.ended_within(Duration::ZERO) {
                return LoadEnd::Failed(format!("the server {ended} under load"));
            }
            if began.elapsed() > limit {
                let limit = limit.as_secs_f64();
                return LoadEnd::Failed(format!(
                    "the load did not end within {limit} s: the server does not answer, or the generator hangs"
                ));
            }
        }
    }

    fn server_cores(&self) -> f64 {
        self.core_share * self.launch.placement.server_cpus.len().max(1) as f64
    }

    fn limit(&self) -> Duration {
        let timing = self.timing;
        let measured = timing
            .measure_ms
            .saturating_mul(self.steps)
            .saturating_mul(STRETCH);
        self.launch.load_slack
            + Duration::from_millis(timing.warmup_ms + timing.count_ms)
            + CONNECTION_MAX * self.connections
            + Duration::from_millis(measured)
    }

    fn conclude(&self, child: &Child, line: &str) -> LoadEnd {
        let ended = child.ended_within(END_LIMIT);
        if let Ok(Broken { violation }) = serde_json::from_str(line) {
            return LoadEnd::Failed(violation);
        }
        match (ended, serde_json::from_str::<Measures>(line)) {
            (Some(ended), Ok(measures)) if ended.is_success() => {
                LoadEnd::Measured(Box::new(measures))
            }
            (Some(ended), Err(error)) if ended.is_success() => {
                LoadEnd::Failed(format!("the generator printed no measures: {error}"))
            }
            (Some(ended), _) => {
                LoadEnd::Failed(format!("the generator {ended}: {}", child.stderr_tail()))
            }
            (None, _) => {
                LoadEnd::Failed("the generator closed its output and did not end".to_owned())
            }
        }
    }
}
