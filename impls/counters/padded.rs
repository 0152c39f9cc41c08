//! Many atomic numbers, of which each thread has one as long as there are so many: in cache lines of their own, so that no
//! thread takes another one's away.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/padded`.
pub(crate) struct Padded {
    shards: [Shard; SHARDS],
    /// Handles so far: threads take shards in turn.
    handles: AtomicUsize,
}

/// In cache lines of its own: two, since processors fetch them by pairs.
#[derive(Default)]
#[repr(align(128))]
struct Shard(AtomicU64);

/// Threads above this share one with another thread.
const SHARDS: usize = 64;

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/padded",
    about: "64 atomic numbers in cache lines of their own; threads add to them in turn, and a total is their sum.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for Padded {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Shard::default()),
            handles: AtomicUsize::new(0),
        }
    }
}

impl SharedCounter for Padded {
    type Handle<'a> = Handle<'a>;

    fn handle(&self) -> Handle<'_> {
        let place = self.handles.fetch_add(1, Ordering::Relaxed);
        Handle {
            all: &self.shards,
            own: &self.shards[place % SHARDS].0,
        }
    }
}

/// The shard of a thread.
pub(crate) struct Handle<'a> {
    all: &'a [Shard],
    own: &'a AtomicU64,
}

impl CounterHandle for Handle<'_> {
    #[inline]
    fn count(&mut self) {
        self.own.fetch_add(1, Ordering::Relaxed);
    }

    fn total(&mut self) -> u64 {
        let of = |shard: &Shard| shard.0.load(Ordering::Relaxed);
        self.all.iter().map(of).sum()
    }
}
