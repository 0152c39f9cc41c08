//! Counters that threads share.

use serde::{Deserialize, Serialize};

/// One more, again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CounterTask {
    /// Of 100 operations so many ask for the total; the others count.
    pub reads: u32,
}

/// What a thread does with a counter. What it has not passed on yet, it does when it drops this.
pub trait CounterHandle {
    /// Counts one more.
    fn count(&mut self);

    /// What all threads have counted, this one's own included. Of others it may lack what they keep to themselves for a
    /// while.
    fn total(&mut self) -> u64;
}

/// A counter.
pub trait SharedCounter: Send + Sync + 'static {
    /// What one thread holds.
    type Handle<'a>: CounterHandle
    where
        Self: 'a;

    /// A handle for this thread.
    fn handle(&self) -> Self::Handle<'_>;
}

/// The same counter behind a pointer, for conformance cases.
pub trait TestedCounter: Send + Sync {
    /// Has `act` use a handle, which is dropped behind it.
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn CounterHandle));
}

impl<C: SharedCounter> TestedCounter for C {
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn CounterHandle)) {
        act(&mut self.handle());
    }
}
