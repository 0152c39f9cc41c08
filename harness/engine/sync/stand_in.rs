//! What loom cannot look into, with the same contract.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use loom::sync::{Condvar, Mutex, MutexGuard};
use ringside_metal::epoll;

/// Stands in for a flag of the system, which loom cannot look into: raised by any thread, and seen up by a
/// poller that watches its level, or its every raise.
#[derive(Debug)]
pub(crate) struct Flag {
    state: Mutex<FlagState>,
    changed: Condvar,
    /// For pollers, which no model has.
    descriptor: epoll::Flag,
}

#[derive(Debug, Default)]
struct FlagState {
    is_up: bool,
    raises: u32,
}

impl Flag {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            descriptor: epoll::Flag::new()?,
        })
    }

    pub(crate) fn raise(&self) {
        let mut state = self.state();
        state.is_up = true;
        state.raises += 1;
        self.changed.notify_all();
    }

    pub(crate) fn lower(&self) {
        self.state().is_up = false;
    }

    /// Sleeps while it is down.
    pub(crate) fn wait_for_level(&self) {
        let mut state = self.state();
        while !state.is_up {
            state = self.changed.wait(state).expect("loom poisons nothing");
        }
    }

    /// Sleeps until it was raised again since `seen`.
    pub(crate) fn wait_for_edge(&self, seen: &mut u32) {
        let mut state = self.state();
        while state.raises == *seen {
            state = self.changed.wait(state).expect("loom poisons nothing");
        }
        *seen = state.raises;
    }

    fn state(&self) -> MutexGuard<'_, FlagState> {
        self.state.lock().expect("loom poisons nothing")
    }
}

impl AsFd for Flag {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
