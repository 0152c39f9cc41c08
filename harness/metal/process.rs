//! Child processes that cannot outlive the run: how servers and generators are started and ended.
//!
//! - One permanent thread starts every child, because the kernel sends a death signal when the
//!   *thread* that forked ends, not when its process does.
//! - Each child leads a session of its own: a process group that can be ended as a whole, and an
//!   autogroup of its own, so that its priority means something on a desktop kernel.
//! - This process adopts orphans (`PR_SET_CHILD_SUBREAPER`), so that the workers of a server whose
//!   master died are found and reaped.
//! - A guard process (see `guard.rs`) ends the groups, and what left them, when this process is killed
//!   outright: a death signal reaches children only, never the children's children.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, kill_process_group,
    pidfd_open, waitid, waitpgid, waitpid,
};
use rustix::thread::CpuSet;

use crate::guard::{Guard, MARKER};

mod orphans;
mod table;

use orphans::Known;
use table::descendants;

/// What to start, and how.
#[derive(Debug)]
pub struct SpawnRequest {
    /// Program and arguments; no shell comes near them.
    pub argv: Vec<OsString>,
    /// Variables set on top of this process's own.
    pub environment: Vec<(OsString, OsString)>,
    /// Working directory; `None` keeps this process's.
    pub directory: Option<PathBuf>,
    /// Processors that it may use; empty leaves it free.
    pub cpus: Vec<usize>,
    /// Where its standard error goes.
    pub stderr: File,
    /// The nice value of its autogroup, -20 to 19; a refusal is seen in [`Process::autogroup_nice`].
    pub autogroup_nice: Option<i32>,
    /// What the kernel adds to its badness when memory runs out, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// A descriptor that it inherits under the same number.
    pub inherit: Option<OwnedFd>,
}

impl SpawnRequest {
    /// A request with the given command line and standard error, all else left as it is.
    pub fn new(argv: Vec<OsString>, stderr: File) -> Self {
        Self {
            argv,
            environment: Vec::new(),
            directory: None,
            cpus: Vec::new(),
            stderr,
            autogroup_nice: None,
            oom_score_adj: None,
            inherit: None,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It returned this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
}

impl Ended {
    /// True for code 0.
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Signalled(signal) => match Signal::from_named_raw(*signal) {
                Some(named) => write!(f, "was ended by signal {signal} ({named:?})"),
                None => write!(f, "was ended by signal {signal}"),
            },
        }
    }
}

/// A running child. When it is dropped, it and everything that it started is killed and reaped.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
    stdout: Option<ChildStdout>,
    guard: Arc<Guard>,
}

impl Process {
    /// Its process id, which is also the id of its group and of its session.
    pub fn id(&self) -> u32 {
        self.pid.as_raw_pid().unsigned_abs()
    }

    /// Its process id, and those of everything that it started and that still runs.
    pub fn tree(&self) -> Vec<u32> {
        let below = descendants(self.pid);
        let ids = below.iter().map(|pid| pid.as_raw_pid().unsigned_abs());
        std::iter::once(self.id()).chain(ids).collect()
    }

    /// Its standard output, the first time that it is asked for.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// Waits until it has ended, at most for `limit`; `None` when it still runs.
    ///
    /// # Errors
    /// The system's answer.
    pub fn wait(&self, limit: Duration) -> io::Result<Option<Ended>> {
        if readable_within(self.pidfd.as_fd(), limit)? {
            self.peek()
        } else {
            Ok(None)
        }
    }

    /// Sends a signal to the process itself, not to its group.
    ///
    /// # Errors
    /// The system's answer; an ended process is no error.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let Some(signal) = Signal::from_named_raw(signal) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        match kill_process(self.pid, signal) {
            Err(error) if error != rustix::io::Errno::SRCH => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Asks it to stop, waits for at most `grace`, then kills what is left of it and of everything
    /// that it started, and reaps it. The flag is true when it had to be killed.
    ///
    /// # Errors
    /// The system's answer.
    pub fn stop(self, signal: i32, grace: Duration) -> io::Result<(Ended, bool)> {
        self.signal(signal)?;
        let ended = self.wait(grace)?;
        drop(self);
        Ok((
            ended.unwrap_or(Ended::Signalled(Signal::KILL.as_raw())),
            ended.is_none(),
        ))
    }

    /// The nice value of its autogroup, where the kernel has autogroups.
    pub fn autogroup_nice(&self) -> Option<i32> {
        let text = std::fs::read_to_string(format!("/proc/{}/autogroup", self.id())).ok()?;
        text.split_whitespace().last()?.parse().ok()
    }

    /// How it ended, leaving it unreaped so that its id stays taken until [`Self::finish`].
    fn peek(&self) -> io::Result<Option<Ended>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let status = waitid(WaitId::Pid(self.pid), options)?;
        Ok(status.and_then(|status| {
            let code = status.exit_status().map(Ended::Exited);
            code.or_else(|| status.terminating_signal().map(Ended::Signalled))
        }))
    }

    /// Kills group, descendants and orphans, then reaps them. The leader is still unreaped here, so neither
    /// its id nor its group's can belong to anybody else.
    fn finish(&self) {
        let descendants = descendants(self.pid);
        let _ = kill_process_group(self.pid, Signal::KILL);
        for &descendant in &descendants {
            let _ = kill_process(descendant, Signal::KILL);
        }
        reap_until_empty(|| waitpgid(self.pid, WaitOptions::empty()));
        for &descendant in &descendants {
            reap_until_empty(|| waitpid(Some(descendant), WaitOptions::empty()));
        }
        self.guard.forget(self.pid);
        Known::hold().remove_and_end_orphans(self.pid);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Starts `request`'s program on the spawning thread.
///
/// # Errors
/// The program is not there, or the system refused: the message is the system's.
pub fn spawn(request: SpawnRequest) -> io::Result<Process> {
    static SPAWNER: OnceLock<Result<Spawner, String>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| Spawner::start().map_err(|error| error.to_string()));
    match spawner {
        Ok(spawner) => spawner.spawn(request),
        Err(because) => Err(io::Error::other(format!(
            "failed to start the spawning thread: {because}"
        ))),
    }
}

/// The thread that is every child's parent, as the kernel sees it.
struct Spawner {
    orders: mpsc::Sender<Order>,
}

struct Order {
    request: SpawnRequest,
    reply: mpsc::SyncSender<io::Result<Process>>,
}

impl Spawner {
    fn start() -> io::Result<Self> {
        // Refused only by kernels before 3.4; orphans then go to init, which reaps them too.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        let mut known = Known::hold();
        let (guard, guard_pid) = Guard::start()?;
        known.add(guard_pid);
        drop(known);
        let guard = Arc::new(guard);
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                for order in inbox {
                    // A caller that no longer waits drops the process, which ends it.
                    let _ = order.reply.send(start_child(order.request, &guard));
                }
            })?;
        Ok(Self { orders })
    }

    fn spawn(&self, request: SpawnRequest) -> io::Result<Process> {
        let (reply, answer) = mpsc::sync_channel(1);
        let gone = || io::Error::other("the spawning thread has ended");
        self.orders
            .send(Order { request, reply })
            .map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

fn start_child(request: SpawnRequest, guard: &Arc<Guard>) -> io::Result<Process> {
    let Some((program, arguments)) = request.argv.split_first() else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the command line is empty",
        ));
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(request.environment);
    command.env(MARKER, guard.value());
    if let Some(directory) = &request.directory {
        command.current_dir(directory);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(request.stderr);
    let setup = ChildSetup::new(
        &request.cpus,
        request.autogroup_nice,
        request.oom_score_adj,
        request.inherit.as_ref().map(AsRawFd::as_raw_fd),
    );
    // SAFETY: `ChildSetup::apply` only makes system calls on memory that was prepared before the
    // fork: it neither allocates nor takes a lock, which is all that the child of a process with
    // threads may do before `exec`.
    unsafe {
        command.pre_exec(move || setup.apply());
    }
    let mut known = Known::hold();
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    known.add(pid);
    drop(known);
    guard.watch(pid);
    let stdout = child.stdout.take();
    // From here on the id is ours to wait for; dropping `child` neither waits nor kills.
    let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            guard.forget(pid);
            Known::hold().remove_and_end_orphans(pid);
            return Err(error.into());
        }
    };
    Ok(Process {
        pid,
        pidfd,
        stdout,
        guard: Arc::clone(guard),
    })
}

/// What the child does between `fork` and `exec`, prepared before the fork.
struct ChildSetup {
    parent: Pid,
    affinity: Option<CpuSet>,
    autogroup: Option<Vec<u8>>,
    oom: Option<Vec<u8>>,
    inherit: Option<i32>,
}

impl ChildSetup {
    fn new(cpus: &[usize], nice: Option<i32>, oom: Option<i32>, inherit: Option<i32>) -> Self {
        let affinity = (!cpus.is_empty()).then(|| {
            let mut set = CpuSet::new();
            for &cpu in cpus.iter().filter(|&&cpu| cpu < CpuSet::MAX_CPU) {
                set.set(cpu);
            }
            set
        });
        let text = |value: i32| value.to_string().into_bytes();
        Self {
            parent: rustix::process::getpid(),
            affinity,
            autogroup: nice.map(text),
            oom: oom.map(text),
            inherit,
        }
    }

    fn apply(&self) -> io::Result<()> {
        rustix::process::setsid()?;
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died before the line above took effect.
        if rustix::process::getppid() != Some(self.parent) {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        if let Some(affinity) = &self.affinity {
            rustix::thread::sched_setaffinity(None, affinity)?;
        }
        // Both need rights that a container may not give: the caller sees what came of it.
        if let Some(nice) = &self.autogroup {
            let _ = write_proc(c"/proc/self/autogroup", nice);
        }
        if let Some(score) = &self.oom {
            let _ = write_proc(c"/proc/self/oom_score_adj", score);
        }
        if let Some(fd) = self.inherit {
            // SAFETY: the request that owns the descriptor lives until `Command::spawn` returned.
            let fd = unsafe { BorrowedFd::borrow_raw(fd) };
            rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
        }
        Ok(())
    }
}

fn write_proc(path: &std::ffi::CStr, text: &[u8]) -> rustix::io::Result<()> {
    use rustix::fs::{Mode, OFlags, open};
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, text)?;
    Ok(())
}

fn readable_within(fd: BorrowedFd<'_>, limit: Duration) -> io::Result<bool> {
    let deadline = std::time::Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(
            &mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Calls `wait` until it says that there is nobody left to wait for.
fn reap_until_empty<T>(wait: impl Fn() -> rustix::io::Result<T>) {
    loop {
        match wait() {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests;
