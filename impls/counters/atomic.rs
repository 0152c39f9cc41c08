//! One atomic number.

use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/atomic`.
pub(crate) struct Atomic(AtomicU64);

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/atomic",
    about: "One AtomicU64 to which every thread adds.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for Atomic {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl SharedCounter for Atomic {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl CounterHandle for &Atomic {
    #[inline]
    fn count(&mut self) {
        // Relaxed: nothing but the number itself is told by it.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    fn total(&mut self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
