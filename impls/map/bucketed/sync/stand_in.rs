//! Pointers and epochs that loom sees into, and into which a model can plant a bug.

use std::any::TypeId;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread_local;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{self, AtomicUsize, Ordering};

use crate::map::bucketed::table::Table;

/// A bug of order, as a slip of the pen would make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Entries are put into a bucket without releasing what was written into them.
    EntriesNotReleased,
    /// They are read without acquiring it.
    EntriesNotAcquired,
    /// A table is put in its place without releasing what was written into it.
    TableNotReleased,
    /// It is read without acquiring it.
    TableNotAcquired,
    /// What was replaced is freed at once, and not when nobody reads it any more.
    FreedAtOnce,
}

thread_local! {
    /// That of this test. Loom's threads are none of the system: all of a model's are on the test's.
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// From now on in this test.
pub(crate) fn plant(bug: Bug) {
    PLANTED.set(Some(bug));
}

fn is_planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Of the standard library, but for its steps and what is planted.
#[derive(Debug)]
pub(crate) struct AtomicPtr<T>(atomic::AtomicPtr<T>);

impl<T: 'static> AtomicPtr<T> {
    pub(crate) fn new(pointer: *mut T) -> Self {
        Self(atomic::AtomicPtr::new(pointer))
    }

    pub(crate) fn load(&self, order: Ordering) -> *mut T {
        let bugs = [Bug::EntriesNotAcquired, Bug::TableNotAcquired];
        self.0.load(Self::weakened(order, Ordering::Relaxed, bugs))
    }

    pub(crate) fn compare_exchange(
        &self,
        old: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        let bugs = [Bug::EntriesNotReleased, Bug::TableNotReleased];
        let success = Self::weakened(success, Ordering::Acquire, bugs);
        self.0.compare_exchange(old, new, success, failure)
    }

    /// The order, or the weaker one when the bug of pointers of this type is planted.
    fn weakened(order: Ordering, weaker: Ordering, [entries, table]: [Bug; 2]) -> Ordering {
        let bug = if TypeId::of::<T>() == TypeId::of::<Table>() {
            table
        } else {
            entries
        };
        if is_planted(bug) { weaker } else { order }
    }
}

/// As much of crossbeam's promise as the map builds on: what is deferred is called when nobody is pinned any more, and who
/// pins behind that sees what was done before. Otherwise to pin gives no order here: the map has to bring its own.
struct Epoch {
    state: Mutex<State>,
    /// Counted up by everybody that is pinned no more: what they did comes before what was deferred.
    ended: AtomicUsize,
}

/// Behind a lock of the standard library: it costs no step and gives no order.
#[derive(Default)]
struct State {
    pinned: usize,
    deferred: Vec<Box<dyn FnOnce() + Send>>,
    /// Something was called.
    has_called: bool,
    /// What is behind pointers, by its address.
    watched: HashMap<usize, UnsafeCell<()>>,
}

impl Epoch {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            ended: AtomicUsize::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A model that fails has panicked with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

loom::lazy_static! {
    static ref EPOCH: Epoch = Epoch::new();
}

/// Keeps what is deferred from being called.
pub(crate) struct Guard(());

pub(crate) fn pin() -> Guard {
    let has_called = {
        let mut state = EPOCH.state();
        state.pinned += 1;
        state.has_called
    };
    if has_called {
        EPOCH.ended.fetch_add(0, Ordering::Acquire);
    }
    Guard(())
}

impl Guard {
    /// # Safety
    /// As with crossbeam; nothing that this one does needs more.
    #[expect(unsafe_code, reason = "as crossbeam has it")]
    pub(crate) unsafe fn defer_unchecked<R>(&self, what: impl FnOnce() -> R + Send + 'static) {
        if is_planted(Bug::FreedAtOnce) {
            what();
        } else {
            EPOCH.state().deferred.push(Box::new(move || drop(what())));
        }
    }
}

impl Guard {
    /// What is due is called in any case.
    pub(crate) fn flush(&self) {}
}

impl Drop for Guard {
    fn drop(&mut self) {
        // What is left of a model that failed cannot be tidied up.
        if std::thread::panicking() {
            return;
        }
        EPOCH.ended.fetch_add(1, Ordering::Release);
        let due = {
            let mut state = EPOCH.state();
            state.pinned -= 1;
            if state.pinned > 0 {
                return;
            }
            state.has_called |= !state.deferred.is_empty();
            std::mem::take(&mut state.deferred)
        };
        if !due.is_empty() {
            EPOCH.ended.fetch_add(0, Ordering::Acquire);
        }
        due.into_iter().for_each(|call| call());
    }
}

/// What loom does not see, since it is behind a pointer: each is a cell that is written when it is made and when it is
/// freed, and read when it is used.
pub(crate) mod watch {
    use super::{EPOCH, UnsafeCell};

    pub(crate) fn made<T>(what: *const T) {
        EPOCH
            .state()
            .watched
            .insert(what.addr(), UnsafeCell::new(()));
    }

    pub(crate) fn used<T>(what: *const T) {
        let state = EPOCH.state();
        let cell = state.watched.get(&what.addr());
        cell.expect("used after it was freed").with(|_| ());
    }

    pub(crate) fn freed<T>(what: *const T) {
        let cell = EPOCH.state().watched.remove(&what.addr());
        cell.expect("freed twice").with_mut(|_| ());
    }
}
