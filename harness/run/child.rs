//! A child process with its lines of standard output and its log of standard error.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use ringside_metal::process::{Ended, Process, SpawnRequest, spawn};

/// Autogroup priority of both roles, so that other work of the machine does not take their cores.
const AUTOGROUP_NICE: i32 = -15;
/// Both roles go first when memory runs out: the run itself must live to record it.
const OOM_SCORE: i32 = 1000;
/// How much of a log is shown.
const TAIL_LINES: usize = 20;
const TAIL_BYTES: usize = 4096;

/// What to start.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) argv: &'a [String],
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) cpus: &'a [usize],
    pub(crate) log: &'a Path,
    pub(crate) inherit: Option<std::os::fd::OwnedFd>,
}

/// A running child. Dropping it ends it and everything that it started.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) process: Process,
    lines: Receiver<String>,
    log: PathBuf,
}

/// What a wait for a line came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line.
    Text(String),
    /// None yet.
    Nothing,
    /// The output was closed: none will come.
    Closed,
}

impl Child {
    /// Starts it.
    pub(crate) fn start(order: Order<'_>) -> Result<Self, String> {
        let name = order.argv.first().cloned().unwrap_or_default();
        let stderr = File::create(order.log)
            .map_err(|error| format!("failed to create {}: {error}", order.log.display()))?;
        let mut request =
            SpawnRequest::new(order.argv.iter().map(OsString::from).collect(), stderr);
        request.environment = order.environment;
        request.directory = order.directory;
        request.cpus = order.cpus.to_vec();
        request.autogroup_nice = Some(AUTOGROUP_NICE);
        request.oom_score_adj = Some(OOM_SCORE);
        request.inherit = order.inherit;
        let mut process =
            spawn(request).map_err(|error| format!("failed to start {name}: {error}"))?;
        let lines = match process.take_stdout() {
            Some(stdout) => {
                read_lines(stdout).map_err(|error| format!("failed to read {name}: {error}"))?
            }
            None => channel().1,
        };
        Ok(Self {
            process,
            lines,
            log: order.log.to_owned(),
        })
    }

    /// The next line of its standard output, waiting for at most `limit`.
    pub(crate) fn line(&self, limit: Duration) -> Line {
        match self.lines.recv_timeout(limit) {
            Ok(line) => Line::Text(line),
            Err(RecvTimeoutError::Timeout) => Line::Nothing,
            Err(RecvTimeoutError::Disconnected) => Line::Closed,
        }
    }

    /// How it ended, if it does within `limit`.
    pub(crate) fn ended_within(&self, limit: Duration) -> Option<Ended> {
        self.process.wait(limit).ok().flatten()
    }

    /// The last lines of its standard error.
    pub(crate) fn stderr_tail(&self) -> String {
        tail(&self.log)
    }

    /// A sentence when its priority could not be raised.
    pub(crate) fn priority_warning(&self) -> Option<String> {
        let nice = self.process.autogroup_nice()?;
        (nice != AUTOGROUP_NICE).then(|| {
            "the priority of server and generator could not be raised above other work \
             (it needs root): keep the machine otherwise idle"
                .to_owned()
        })
    }
}

/// The last lines of a file.
pub(crate) fn tail(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text =
        String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]).into_owned();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// A thread that hands on lines until the other side closes.
fn read_lines(stdout: impl io::Read + Send + 'static) -> io::Result<Receiver<String>> {
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            loop {
                line.clear();
                match reader.read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {
                        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                        if sender.send(text).is_err() {
                            return;
                        }
                    }
                }
            }
        })?;
    Ok(receiver)
}
