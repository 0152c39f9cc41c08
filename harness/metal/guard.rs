//! The guard: a forked process that ends our children and what they started when this process is gone.
//!
//! It holds the reading end of a pipe whose only writing end is ours. While we live it learns from the
//! pipe which groups exist; when we end, however we end, the pipe closes and it kills what is left: the
//! groups, and whatever left them but still carries the variable that every child gets (`marked.rs`).
//! Who is whose descendant says nothing by then: the children die with us, and theirs are adopted.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Mutex;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;

mod marked;

/// Groups that can be watched at one time; a run has two.
const GROUPS_MAX: usize = 1024;

/// The variable that marks a child of this process and everything that it starts.
pub(crate) const MARKER: &str = "RINGSIDE_GUARD";

/// Our side of the pipe.
#[derive(Debug)]
pub(crate) struct Guard {
    pipe: Mutex<OwnedFd>,
    value: String,
}

impl Guard {
    /// Forks the guard, and names its process.
    pub(crate) fn start() -> io::Result<(Self, Pid)> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        // Of the same length always: the size of an environment shifts the stack of the measured.
        let own = rustix::process::getpid().as_raw_pid();
        let value = format!("{own:08x}{:016x}", crate::monotonic_ns());
        let marker = format!("{MARKER}={value}");
        // SAFETY: the child calls nothing but `watch_and_kill`, which makes system calls on its own
        // stack only and never returns: neither locks nor the allocator are touched after the fork.
        let child = unsafe { libc::fork() };
        match child {
            0 => watch_and_kill(reader.as_raw_fd(), marker.as_bytes()),
            _ => {
                let pid = Pid::from_raw(child).filter(|_| child > 0);
                let pid = pid.ok_or_else(io::Error::last_os_error)?;
                let pipe = Mutex::new(writer);
                Ok((Self { pipe, value }, pid))
            }
        }
    }

    /// What [`MARKER`] is set to in every child.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }

    /// Adds the group that `leader` leads.
    pub(crate) fn watch(&self, leader: Pid) {
        self.tell(leader.as_raw_pid());
    }

    /// Removes it again: it is gone.
    pub(crate) fn forget(&self, leader: Pid) {
        self.tell(-leader.as_raw_pid());
    }

    fn tell(&self, message: i32) {
        // A guard that somebody killed makes this fail: children then still have their death signal.
        if let Ok(pipe) = self.pipe.lock() {
            let _ = rustix::io::write(&*pipe, &message.to_ne_bytes());
        }
    }
}

/// The guard's whole life.
fn watch_and_kill(reader: RawFd, marker: &[u8]) -> ! {
    // SAFETY: plain system calls on descriptors of this process, which has just been forked; the
    // writing end must be closed here, or the pipe would never end.
    unsafe {
        libc::setsid();
        libc::dup2(reader, 0);
        libc::syscall(libc::SYS_close_range, 1u32, u32::MAX, 0u32);
        libc::prctl(libc::PR_SET_NAME, c"ringside-guard".as_ptr());
    }
    let mut groups = [0i32; GROUPS_MAX];
    loop {
        let mut message = [0u8; 4];
        // SAFETY: the buffer is ours and four bytes long. Writes of four bytes to a pipe are atomic.
        let got = unsafe { libc::read(0, message.as_mut_ptr().cast(), message.len()) };
        if got == 4 {
            note(&mut groups, i32::from_ne_bytes(message));
        } else if got == 0 {
            break;
        }
    }
    for &group in groups.iter().filter(|&&group| group > 1) {
        // SAFETY: a system call without memory; the group was ours to the end.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    marked::kill_marked(marker);
    // SAFETY: ends this process without running what belongs to its parent.
    unsafe { libc::_exit(0) }
}

/// A positive message adds a group, a negative one removes it.
fn note(groups: &mut [i32; GROUPS_MAX], message: i32) {
    let (old, new) = if message > 0 {
        (0, message)
    } else {
        (-message, 0)
    };
    if let Some(slot) = groups.iter_mut().find(|group| **group == old) {
        *slot = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_and_go() {
        let mut groups = [0; GROUPS_MAX];
        for message in [7, 9, -7, 11] {
            note(&mut groups, message);
        }
        assert_eq!(&groups[..3], &[11, 9, 0]);
    }
}
