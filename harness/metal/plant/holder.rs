//! A lock that another thread has: who wants it has to wait until that thread was on a processor and gave it
//! up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The thread that has the lock, one for each thread that wants one, and on the same cores, since threads
/// inherit them. It ends with its holder or with the process.
#[derive(Debug)]
pub(super) struct Holder {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    place: Mutex<Place>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Place {
    step: Step,
    /// How often the lock came back.
    given_back: u64,
}

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The server goes on, the holder waits.
    #[default]
    Serve,
    /// The holder gives the lock up, the server waits.
    GiveBack,
    /// The holder ends.
    End,
}

impl Holder {
    /// # Panics
    /// No thread can be had: going on would be a slowdown that was promised and is not there.
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let held = Arc::clone(&shared);
        let started = thread::Builder::new()
            .name("planted-lock".to_owned())
            .stack_size(STACK)
            .spawn(move || held.hold());
        if let Err(error) = started {
            panic!("failed to start the thread that holds the planted lock: {error}");
        }
        Self { shared }
    }

    /// Waits for the lock: two changes of threads.
    pub(super) fn hand_over(&self) {
        // Woken before it was unlocked, the holder would run into this thread's own lock and wait twice.
        self.shared.place().step = Step::GiveBack;
        self.shared.changed.notify_one();
        // A thread that never came back would be a hang instead of a slowdown.
        let waits = |place: &mut Place| place.step == Step::GiveBack;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.place(), WAIT_MAX, waits);
        drop(waited);
    }

    /// How often the lock was given up.
    #[cfg(test)]
    pub(super) fn given_back(&self) -> u64 {
        self.shared.place().given_back
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.shared.place().step = Step::End;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self) {
        let mut place = self.place();
        while place.step != Step::End {
            if place.step == Step::GiveBack {
                place.step = Step::Serve;
                place.given_back += 1;
                drop(place);
                self.changed.notify_one();
                place = self.place();
            }
            place = self
                .changed
                .wait_while(place, |place| place.step == Step::Serve)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// It calls nothing deep.
const STACK: usize = 64 << 10;
/// Far above the time of a change of threads on a busy machine.
const WAIT_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_thread_ends_with_it() {
        let holder = Holder::start();
        holder.hand_over();
        let shared = Arc::downgrade(&holder.shared);
        drop(holder);
        let began = std::time::Instant::now();
        // The thread has the other half.
        while shared.strong_count() > 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "it goes on");
            thread::yield_now();
        }
    }
}
