//! Starting the server of a block: ours by `serve`, an outside program by its manifest.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringside_contract::{Confinement, Host, Placement};
use serde::Deserialize;
use thiserror::Error;

use crate::catalogue::{Candidate, Subject};
use crate::child::{Child, LINE_MAX, Line, Order};
use crate::confine::Group;
use crate::error::is_full;
use crate::manifest::{Listener, Manifest, Ready};
use crate::stop::Stop;
use crate::{probe, template};

/// How often a wait looks whether the server died or the run is to stop.
const LOOK: Duration = Duration::from_millis(20);
/// How long ours may take to close its connections.
const GRACE: Duration = Duration::from_secs(3);
/// And where it has to look up the names of what it sampled.
const SAMPLED_GRACE: Duration = Duration::from_secs(60);
/// Connections that the kernel queues for an inherited listener.
const BACKLOG: i32 = 4096;

/// What every start of a process in a run needs.
#[derive(Clone, Copy)]
pub struct Launch<'a> {
    /// The program whose `serve` and `load` are started.
    pub executable: &'a Path,
    /// The machine.
    pub host: &'a Host,
    /// Which processors each role gets.
    pub placement: &'a Placement,
    /// Congestion control of both sides; `None` keeps the system's.
    pub congestion: Option<&'a str>,
    /// How long a server may take until it is ready.
    pub ready_limit: Duration,
    /// What a load may take beyond its windows.
    pub load_slack: Duration,
    /// Asks for the end.
    pub stop: &'a Stop,
}

/// All that starting a server needs.
pub struct ServerOrder<'a> {
    /// What every start needs.
    pub launch: Launch<'a>,
    /// What to start.
    pub subject: &'a Subject<'a>,
    /// The document root.
    pub root: &'a Path,
    /// A folder for the files of this server alone.
    pub tmp: &'a Path,
    /// Where its standard error goes.
    pub log: &'a Path,
    /// Time that one of ours gives the head of a request; `None` for what it always gives.
    pub head_deadline: Option<Duration>,
    /// What is kept from it.
    pub confinement: Confinement,
    /// Where one of ours writes the stacks that it samples of itself; `None` where it does not.
    pub sample: Option<&'a Path>,
    /// Variables of its environment, beside what a manifest sets.
    pub environment: &'a [(OsString, OsString)],
}

/// A server that answers.
pub struct Server {
    pub(crate) child: Child,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// What a reader of its figures should know.
    pub warnings: Vec<String>,
    stop_signal: i32,
    stop_grace: Duration,
    /// Kept until the server has ended.
    _group: Group,
}

/// Why there is none.
#[derive(Debug, Clone, Default, Error)]
#[error("{because}{}{stderr}", if stderr.is_empty() { "" } else { "; its standard error ends with:\n" })]
pub struct StartFailure {
    /// What happened.
    pub because: String,
    /// The last lines of its standard error.
    pub stderr: String,
    /// True when the end was asked for meanwhile.
    pub interrupted: bool,
    /// The file that no space was left for: the machine's fault, not the server's.
    pub disk_full: Option<PathBuf>,
}

/// The line that `serve` prints.
#[derive(Debug, Deserialize)]
struct ReadyLine {
    addr: SocketAddr,
    #[serde(default)]
    addrs: Vec<SocketAddr>,
    #[serde(default)]
    chosen: String,
}

impl Server {
    /// Asks it to stop; a warning when it had to be killed.
    pub fn stop(self) -> Option<String> {
        match self.child.process.stop(self.stop_signal, self.stop_grace) {
            Ok((_, false)) => None,
            Ok((_, true)) => {
                let grace = self.stop_grace.as_secs_f64();
                Some(format!(
                    "the server did not stop within {grace} s of signal {} and was killed",
                    self.stop_signal
                ))
            }
            Err(error) => Some(format!("failed to stop the server: {error}")),
        }
    }
}

impl ServerOrder<'_> {
    /// Starts it and waits until it is ready. Gives the command line too, which is known in any case.
    pub fn start(&self) -> (Vec<String>, Result<Server, StartFailure>) {
        match self.subject.candidate {
            Candidate::Own(_) | Candidate::InProcess(_) => self.start_own(),
            Candidate::Program(manifest) => self.start_program(manifest),
        }
    }

    fn start_own(&self) -> (Vec<String>, Result<Server, StartFailure>) {
        let argv = self.own_command();
        let started = self.start_child(self.order(&argv, self.environment.to_vec(), None, None));
        let server = started.and_then(|(mut child, group)| {
            let line = self.first_line(&child)?;
            child.ignore_output();
            let ready: ReadyLine = serde_json::from_str(&line).map_err(|error| StartFailure {
                because: format!("the server's first line is no ready line ({error}): {line}"),
                stderr: child.stderr_tail(),
                ..StartFailure::default()
            })?;
            let addresses = if ready.addrs.is_empty() {
                vec![ready.addr]
            } else {
                ready.addrs
            };
            let mut warnings: Vec<_> = child.priority_warning().into_iter().collect();
            if !ready.chosen.is_empty() {
                warnings.push(format!("chosen: {}", ready.chosen));
            }
            Ok(Server {
                child,
                addresses,
                warnings,
                stop_signal: SIGTERM,
                stop_grace: if self.sample.is_some() {
                    SAMPLED_GRACE
                } else {
                    GRACE
                },
                _group: group,
            })
        });
        (argv, server)
    }

    fn own_command(&self) -> Vec<String> {
        let cpus = comma_list(&self.launch.placement.server_cpus);
        let mut argv = vec![
            self.launch.executable.display().to_string(),
            "serve".to_owned(),
            self.subject.spec.to_string(),
            "--listen".to_owned(),
            "127.0.0.1:0".to_owned(),
            "--root".to_owned(),
            self.root.display().to_string(),
            "--cpus".to_owned(),
            cpus,
            "--workers".to_owned(),
            self.workers().to_string(),
        ];
        if let Some(congestion) = self.launch.congestion {
            argv.extend(["--congestion".to_owned(), congestion.to_owned()]);
        }
        if self.confinement.refuse_io_uring {
            argv.extend(["--refuse", "io_uring"].map(str::to_owned));
        }
        if let Some(time) = self.head_deadline {
            argv.extend([
                "--head-deadline".to_owned(),
                format!("{}ms", time.as_millis()),
            ]);
        }
        if let Some(file) = self.sample {
            argv.extend(["--sample".to_owned(), file.display().to_string()]);
        }
        argv
    }

    fn start_program(&self, manifest: &Manifest) -> (Vec<String>, Result<Server, StartFailure>) {
        let listener = match self.listener(manifest) {
            Ok(listener) => listener,
            Err(because) => return (manifest.run.clone(), Err(StartFailure::plain(because))),
        };
        let values = self.values(&listener);
        let axes = manifest.axis_texts(&self.subject.axes);
        let fill = |text: &String| template::fill(text, &axes, &values);
        let argv: Vec<String> = manifest.run.iter().map(fill).collect();
        for file in &manifest.files {
            let path = self.tmp.join(&file.path);
            let written = path
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&path, fill(&file.text)));
            if let Err(error) = written {
                return (argv, Err(StartFailure::file("write", &path, &error)));
            }
        }
        let environment = manifest.environment.iter();
        let environment = environment
            .map(|(name, value)| (name.into(), fill(value).into()))
            .chain(self.environment.iter().cloned())
            .collect();
        let order = self.order(&argv, environment, Some(self.tmp), listener.inherited);
        let server = self.start_child(order).and_then(|(mut child, group)| {
            // Only a line that says that it is ready is looked for, and nothing after it.
            if !matches!(manifest.ready, Ready::Stdout(_)) {
                child.ignore_output();
            }
            self.wait_until_ready(&child, &manifest.ready, listener.address)?;
            child.ignore_output();
            let warnings = child.priority_warning().into_iter().collect();
            let addresses = vec![listener.address];
            let (stop_signal, stop_grace) = (manifest.stop_signal, manifest.stop_grace);
            Ok(Server {
                child,
                addresses,
                warnings,
                stop_signal,
                stop_grace,
                _group: group,
            })
        });
        (argv, server)
    }

    /// Starts the process, in its group before it did anything.
    fn start_child(&self, order: Order<'_>) -> Result<(Child, Group), StartFailure> {
        let fail = |error: std::io::Error| {
            StartFailure::plain(format!("the server cannot be confined: {error}"))
        };
        let group = Group::create(&self.confinement).map_err(fail)?;
        let child = Child::start(order).map_err(StartFailure::plain)?;
        group.take(child.process.id()).map_err(fail)?;
        Ok((child, group))
    }

    fn order<'o>(
        &'o self,
        argv: &'o [String],
        environment: Vec<(OsString, OsString)>,
        directory: Option<&Path>,
        inherit: Option<OwnedFd>,
    ) -> Order<'o> {
        let directory = directory.map(Path::to_owned);
        Order {
            argv,
            environment,
            directory,
            cpus: &self.launch.placement.server_cpus,
            log: self.log,
            inherit,
            line_max: LINE_MAX,
        }
    }

    /// A listening socket to hand on, or a port that was free a moment ago.
    fn listener(&self, manifest: &Manifest) -> Result<ProgramListener, String> {
        let fail = |error: std::io::Error| format!("failed to listen on 127.0.0.1: {error}");
        match manifest.listener {
            Listener::Port => {
                let socket = TcpListener::bind("127.0.0.1:0").map_err(fail)?;
                Ok(ProgramListener {
                    address: socket.local_addr().map_err(fail)?,
                    inherited: None,
                })
            }
            Listener::Inherit => {
                let socket = listening_socket(self.launch.congestion).map_err(fail)?;
                let socket = TcpListener::from(socket);
                let address = socket.local_addr().map_err(fail)?;
                Ok(ProgramListener {
                    address,
                    inherited: Some(socket.into()),
                })
            }
        }
    }

    fn values(&self, listener: &ProgramListener) -> BTreeMap<&'static str, String> {
        let fd = listener
            .inherited
            .as_ref()
            .map(|fd| fd.as_raw_fd().to_string());
        BTreeMap::from([
            ("host", listener.address.ip().to_string()),
            ("port", listener.address.port().to_string()),
            ("root", self.root.display().to_string()),
            ("tmp", self.tmp.display().to_string()),
            ("workers", self.workers().to_string()),
            ("cpus", comma_list(&self.launch.placement.server_cpus)),
            ("listener_fd", fd.unwrap_or_default()),
        ])
    }

    fn workers(&self) -> usize {
        self.launch.placement.server_cpus.len().max(1)
    }

    fn first_line(&self, child: &Child) -> Result<String, StartFailure> {
        self.wait(child, |line| match line {
            Line::Text(text) => Some(text.clone()),
            Line::Nothing | Line::Closed => None,
        })
    }

    fn wait_until_ready(
        &self,
        child: &Child,
        ready: &Ready,
        address: SocketAddr,
    ) -> Result<(), StartFailure> {
        self.wait(child, |line| {
            let answers = match ready {
                Ready::Tcp(_) => TcpStream::connect_timeout(&address, LOOK).is_ok(),
                Ready::Http(path) => probe::answers(address, path, LOOK * 10),
                Ready::Stdout(text) => matches!(line, Line::Text(line) if line.contains(text)),
            };
            answers.then_some(())
        })
    }

    /// Looks again and again until `found` has something, the server died, the time is over, or the
    /// run is to stop.
    fn wait<T>(
        &self,
        child: &Child,
        mut found: impl FnMut(&Line) -> Option<T>,
    ) -> Result<T, StartFailure> {
        let began = Instant::now();
        let fail = |because: String, interrupted| {
            Err(StartFailure {
                because,
                stderr: child.stderr_tail(),
                interrupted,
                disk_full: None,
            })
        };
        loop {
            let line = child.line(LOOK);
            if let Some(found) = found(&line) {
                return Ok(found);
            }
            if self.launch.stop.is_set() {
                return fail("interrupted".to_owned(), true);
            }
            // Closed output comes back at once: waiting for the end instead keeps this from spinning.
            let pause = if line == Line::Closed {
                LOOK
            } else {
                Duration::ZERO
            };
            if let Some(ended) = child.ended_within(pause) {
                return fail(format!("the server {ended} before it was ready"), false);
            }
            if began.elapsed() >= self.launch.ready_limit {
                let limit = self.launch.ready_limit.as_secs_f64();
                return fail(format!("the server was not ready within {limit} s"), false);
            }
        }
    }
}

const SIGTERM: i32 = 15;

struct ProgramListener {
    address: SocketAddr,
    inherited: Option<OwnedFd>,
}

impl StartFailure {
    pub(crate) fn plain(because: String) -> Self {
        Self {
            because,
            ..Self::default()
        }
    }

    pub(crate) fn file(step: &str, path: &Path, error: &std::io::Error) -> Self {
        Self {
            disk_full: is_full(error).then(|| path.to_owned()),
            ..Self::plain(format!("failed to {step} {}: {error}", path.display()))
        }
    }
}

/// A socket for a program to inherit; what it accepts has the same congestion control. It does not
/// block: nginx leaves an inherited socket as it is and would wait in its second `accept` for ever.
fn listening_socket(congestion: Option<&str>) -> std::io::Result<OwnedFd> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if let Some(congestion) = congestion {
        sockopt::set_tcp_congestion(&socket, congestion)?;
    }
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0)))?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

pub(crate) fn comma_list(cpus: &[usize]) -> String {
    cpus.iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
