//! Maps that threads share.

use serde::{Deserialize, Serialize};

/// Bits of a key. Those above are free in a word, so that a value can hold its key.
pub const KEY_BITS: u32 = 48;

/// Look-ups and changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapTask {
    /// Entries before the first operation; their number stays the same.
    pub entries: u32,
    /// Of 100 operations so many read; the others write.
    pub reads: u32,
    /// Which entries are asked for how often.
    pub keys: KeyChoice,
    /// An operation begins only when what the one before found is there, as where each asks for what the last one told.
    /// Otherwise a processor has several under way.
    pub chained: bool,
}

/// Which entries are asked for how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChoice {
    /// All alike.
    Uniform,
    /// The one at rank `r` in proportion to `1 / r^0.99`, as in the Yahoo! Cloud Serving Benchmark.
    Zipf,
    /// One of them, always.
    Hot,
}

/// What a thread does with a map. Some maps need something of each thread for it.
pub trait MapHandle {
    /// The value of a key.
    fn get(&mut self, key: u64) -> Option<u64>;

    /// Sets the value of a key; gives the one before.
    fn insert(&mut self, key: u64, value: u64) -> Option<u64>;

    /// Removes a key; gives its value.
    fn remove(&mut self, key: u64) -> Option<u64>;
}

/// A map from keys of [`KEY_BITS`] bits to words, which threads share.
pub trait ConcurrentMap: Send + Sync + 'static {
    /// What one thread holds.
    type Handle<'a>: MapHandle
    where
        Self: 'a;

    /// A handle for this thread.
    fn handle(&self) -> Self::Handle<'_>;
}

/// The same map behind a pointer, for conformance cases: each call takes a handle of its own.
pub trait TestedMap: Send + Sync {
    /// As [`MapHandle::get`].
    fn get(&self, key: u64) -> Option<u64>;

    /// As [`MapHandle::insert`].
    fn insert(&self, key: u64, value: u64) -> Option<u64>;

    /// As [`MapHandle::remove`].
    fn remove(&self, key: u64) -> Option<u64>;
}

impl<M: ConcurrentMap> TestedMap for M {
    fn get(&self, key: u64) -> Option<u64> {
        self.handle().get(key)
    }

    fn insert(&self, key: u64, value: u64) -> Option<u64> {
        self.handle().insert(key, value)
    }

    fn remove(&self, key: u64) -> Option<u64> {
        self.handle().remove(key)
    }
}
