//! Where the threads of a worker wait for each other before each run. One that panics keeps no other one waiting.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use ringside_metal::monotonic_ns;

/// A start of so many threads, again and again.
pub(super) struct Start {
    threads: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: usize,
    /// Starts so far.
    starts: u64,
    /// When the last one was.
    at_ns: u64,
    is_broken: bool,
}

impl Start {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            threads,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Waits for all of them. When the last one has come, as all are told; `None` when one never will.
    pub(super) fn wait(&self) -> Option<u64> {
        let mut state = self.state();
        if state.is_broken {
            return None;
        }
        let starts = state.starts;
        state.waiting += 1;
        if state.waiting == self.threads {
            state.waiting = 0;
            state.starts += 1;
            state.at_ns = monotonic_ns();
            self.changed.notify_all();
            return Some(state.at_ns);
        }
        let waits = |state: &mut State| state.starts == starts && !state.is_broken;
        let state = self.changed.wait_while(state, waits);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        (state.starts > starts).then_some(state.at_ns)
    }

    /// To be held by a thread for as long as others may wait for it.
    pub(super) const fn attend(&self) -> Attendance<'_> {
        Attendance(self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the others when its thread panics.
pub(super) struct Attendance<'a>(&'a Start);

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.state().is_broken = true;
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_told_the_same_time_again_and_again() {
        let start = Start::new(3);
        let times = thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(|| [(); 5].map(|()| start.wait().unwrap())));
            threads.map(|thread| thread.join().unwrap())
        });
        assert!(times[0].is_sorted(), "{times:?}");
        assert_eq!([times[1], times[2]], [times[0]; 2]);
    }

    #[test]
    fn one_that_panics_keeps_nobody_waiting() {
        let start = Start::new(2);
        thread::scope(|scope| {
            let waits = scope.spawn(|| start.wait());
            let panics = scope.spawn(|| {
                let _attendance = start.attend();
                panic!("on purpose");
            });
            assert!(panics.join().is_err());
            assert_eq!(waits.join().unwrap(), None);
        });
        assert_eq!(start.wait(), None);
    }
}
