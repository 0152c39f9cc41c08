//! Limits of how much is done in a second.

use serde::{Deserialize, Serialize};

/// Requests that ask whether they may go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateTask {
    /// What the limit lets through in a second, at least 1.
    pub rate_per_s: u64,
}

/// A limit.
pub trait RateLimit: Send + Sync + 'static {
    /// Whether it looks at `now_ns` at all: reading a clock is a part of what such a limit costs.
    const NEEDS_CLOCK: bool;

    /// One that lets `rate_per_s` through in a second, and as many as go through in a hundredth of one at once (at least
    /// one).
    fn new(rate_per_s: u64) -> Self;

    /// Whether a request may go on at `now_ns`, in nanoseconds of a clock that never goes back.
    fn begin(&self, now_ns: u64) -> bool;

    /// A request that went on has ended.
    fn end(&self);
}

/// The same behind a pointer, for conformance cases.
pub trait TestedLimit: Send + Sync {
    /// As [`RateLimit::begin`].
    fn begin(&self, now_ns: u64) -> bool;

    /// As [`RateLimit::end`].
    fn end(&self);
}

impl<L: RateLimit> TestedLimit for L {
    fn begin(&self, now_ns: u64) -> bool {
        RateLimit::begin(self, now_ns)
    }

    fn end(&self) {
        RateLimit::end(self);
    }
}

/// One kind of limit, for conformance cases.
pub trait TestedRate: Send + Sync {
    /// One of so many in a second.
    fn of(&self, rate_per_s: u64) -> Box<dyn TestedLimit>;
}
