//! Each thread counts by itself, and passes on what it has from time to time.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/thread_local`.
pub(crate) struct ThreadLocal(AtomicU64);

/// What a thread keeps to itself at most.
const KEPT_MAX: u64 = 64;

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/thread_local",
    about: "Each thread counts by itself and passes 64 at a time on to an AtomicU64; a total lacks what others have kept.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for ThreadLocal {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl SharedCounter for ThreadLocal {
    type Handle<'a> = Handle<'a>;

    fn handle(&self) -> Handle<'_> {
        Handle {
            shared: &self.0,
            kept: 0,
        }
    }
}

/// What a thread has counted and not passed on.
pub(crate) struct Handle<'a> {
    shared: &'a AtomicU64,
    kept: u64,
}

impl Handle<'_> {
    fn pass_on(&mut self) {
        self.shared.fetch_add(self.kept, Ordering::Relaxed);
        self.kept = 0;
    }
}

impl CounterHandle for Handle<'_> {
    #[inline]
    fn count(&mut self) {
        // In memory each time, as in a thread that does something else in between; a compiler would add them up first.
        self.kept = black_box(self.kept + 1);
        if self.kept == KEPT_MAX {
            self.pass_on();
        }
    }

    fn total(&mut self) -> u64 {
        self.pass_on();
        self.shared.load(Ordering::Relaxed)
    }
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        self.pass_on();
    }
}
