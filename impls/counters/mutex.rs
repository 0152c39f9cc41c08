//! A number behind a lock.

use std::sync::{MutexGuard, PoisonError};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/mutex`.
pub(crate) struct Mutex(std::sync::Mutex<u64>);

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/mutex",
    about: "A number behind a std::sync::Mutex.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for Mutex {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        Self(std::sync::Mutex::new(0))
    }
}

impl SharedCounter for Mutex {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl Mutex {
    fn number(&self) -> MutexGuard<'_, u64> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CounterHandle for &Mutex {
    #[inline]
    fn count(&mut self) {
        *self.number() += 1;
    }

    #[inline]
    fn total(&mut self) -> u64 {
        *self.number()
    }
}
