//! A child process with its lines of standard output and its log of standard error.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel, sync_channel};
use std::time::Duration;

use ringside_metal::process::{Ended, Process, SpawnRequest, spawn};

/// Autogroup priority of both roles, so that other work of the machine does not take their cores.
const AUTOGROUP_NICE: i32 = -15;
/// Both roles go first when memory runs out: the run itself must live to record it.
const OOM_SCORE: i32 = 1000;
/// The most that is kept of a line of a server, a build or a version command: a line beyond it says
/// nothing that is looked for, and must not fill the memory that the measured processes share.
pub(crate) const LINE_MAX: usize = 64 * 1024;
/// Lines that wait to be looked at; the child's next one then waits in its pipe.
const LINES_WAITING: usize = 64;
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
    /// What of a longer line of standard output is kept, [`LINE_MAX`] unless it carries figures.
    pub(crate) line_max: usize,
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
            Some(stdout) => read_lines(stdout, order.line_max)
                .map_err(|error| format!("failed to read {name}: {error}"))?,
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

    /// Throws away what it still prints: [`Self::line`] then says that nothing more comes.
    pub(crate) fn ignore_output(&mut self) {
        self.lines = channel().1;
    }

    /// How it ended, if it does within `limit`.
    pub(crate) fn ended_within(&self, limit: Duration) -> Option<Ended> {
        self.process.wait(limit).ok().flatten()
    }

    /// The last lines of its standard error.
    pub(crate) fn stderr_tail(&self) -> String {
        tail(&self.log)
    }

    /// The first lines of its standard error.
    pub(crate) fn stderr_head(&self) -> String {
        let mut bytes = Vec::new();
        let limit = TAIL_BYTES as u64;
        let _ = File::open(&self.log).and_then(|file| file.take(limit).read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
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

/// The last lines of a file, such as the log of a server; empty when it cannot be read.
pub fn tail(path: &Path) -> String {
    let bytes = tail_bytes(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// The end of a file, which may be longer than what fits into memory.
fn tail_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(
        length.saturating_sub(TAIL_BYTES as u64),
    ))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A thread that hands on lines until the other side closes. Once nobody looks at them any more it
/// throws them away, so that the child never waits for a reader and never finds its output closed.
fn read_lines(stdout: impl Read + Send + 'static, line_max: usize) -> io::Result<Receiver<String>> {
    let (sender, receiver) = sync_channel(LINES_WAITING);
    std::thread::Builder::new()
        .name("lines".to_owned())
        .spawn(move || {
            let mut reader = BufReader::new(stdout);
            while let Ok(Some(line)) = next_line(&mut reader, line_max) {
                if sender.send(line).is_err() {
                    let _ = io::copy(&mut reader, &mut io::sink());
                    return;
                }
            }
        })?;
    Ok(receiver)
}

/// The next line without its ending, cut off behind `line_max` bytes; `None` at the end.
fn next_line(reader: &mut impl BufRead, line_max: usize) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let limit = u64::try_from(line_max).unwrap_or(u64::MAX);
    if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut reader = "abcdef\nghi\njkl".as_bytes();
        let mut next = || next_line(&mut reader, 4).unwrap();
        assert_eq!(next().as_deref(), Some("abcd"));
        assert_eq!(next().as_deref(), Some("ghi"));
        assert_eq!(next().as_deref(), Some("jkl"));
        assert_eq!(next(), None);
    }

    #[test]
    fn output_that_nobody_wants_is_thrown_away_without_an_end_in_sight() {
        let folder = tempfile::tempdir().unwrap();
        // More than the channel and the pipe hold: it ends only when somebody reads it all.
        let script = "head -c 4000000 /dev/zero; yes | head -n 100000; exit 5";
        let argv = ["sh", "-c", script].map(str::to_owned);
        let mut child = Child::start(Order {
            argv: &argv,
            environment: Vec::new(),
            directory: None,
            cpus: &[],
            log: &folder.path().join("log"),
            inherit: None,
            line_max: LINE_MAX,
        })
        .unwrap();
        child.ignore_output();
        assert_eq!(child.line(Duration::ZERO), Line::Closed);
        let ended = child.ended_within(Duration::from_secs(30));
        assert_eq!(ended, Some(Ended::Exited(5)));
    }
}
