//! Processes that left the tree of the child that started them. A program that turns itself into a
//! daemon (fork, exit, `setsid`) is in no group of ours and below nobody; as this process adopts
//! orphans, it becomes our own child, and is told from our other children by two things: it is no
//! known [`super::Process`], and it is not in our session. Children that somebody else in this program
//! started are in our session, as long as they did not leave it.
//!
//! Nothing says whose orphan it is: the end of any process ends all of them. A server that lives on as
//! an orphan has ended for this tool anyway.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

use super::reap_until_empty;
use super::table::{session_of, table};

/// Children that are nobody's orphans: the guard, and every process from before its program runs until
/// it is reaped. A list, not a set: an id may be given again before its last owner is taken out.
static KNOWN: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Rounds of killing, as an orphan's own children become orphans when it ends. A daemon is one or two
/// deep; something that forks faster than it is killed is not chased for ever.
const ROUNDS_MAX: usize = 64;

/// While this is held nobody looks for orphans: a child may start and become known.
pub(super) struct Known(MutexGuard<'static, Vec<Pid>>);

impl Known {
    pub(super) fn hold() -> Self {
        // A list of ids is whole whatever happened to the thread that held it.
        Self(KNOWN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&mut self, pid: Pid) {
        self.0.push(pid);
    }

    /// Takes out a process that was reaped, then kills and reaps every orphan.
    pub(super) fn remove_and_end_orphans(mut self, pid: Pid) {
        if let Some(index) = self.0.iter().position(|&known| known == pid) {
            self.0.swap_remove(index);
        }
        for _ in 0..ROUNDS_MAX {
            let orphans = self.orphans();
            if orphans.is_empty() {
                return;
            }
            for &orphan in &orphans {
                let _ = kill_process(orphan, Signal::KILL);
            }
            for &orphan in &orphans {
                reap_until_empty(|| waitpid(Some(orphan), WaitOptions::empty()));
            }
        }
    }

    fn orphans(&self) -> Vec<Pid> {
        let own = getpid();
        let Some(session) = session_of(own) else {
            // Without our own session nobody can be told from the children of the rest of this program.
            return Vec::new();
        };
        let strangers = table()
            .into_iter()
            .filter(|entry| entry.parent == own.as_raw_pid() && entry.session != session);
        strangers
            .map(|entry| entry.pid)
            .filter(|pid| !self.0.contains(pid))
            .collect()
    }
}
