//! A bucket that a token falls into again and again, as one number: the time at which it will be full. It is the generic
//! cell rate algorithm of ITU-T I.371, which is a token bucket without anything that fills it.

use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::rate_limit::RateLimit;

use super::work::NamedLimit;

/// `rate_limit/token_bucket`.
pub(crate) struct TokenBucket {
    /// The time at which the bucket will be full, in nanoseconds.
    full_ns: AtomicU64,
    /// From one token to the next one.
    each_ns: u64,
    /// Until an empty one is full.
    fill_ns: u64,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "rate_limit/token_bucket",
    about: "One atomic time, moved on by compare and swap for each request that goes through.",
    axes: &[],
    ranked: true,
};

impl NamedLimit for TokenBucket {
    const META: &'static ImplementationMeta = &META;
}

const SECOND_NS: u64 = 1_000_000_000;

impl RateLimit for TokenBucket {
    const NEEDS_CLOCK: bool = true;

    fn new(rate_per_s: u64) -> Self {
        let each_ns = (SECOND_NS / rate_per_s.max(1)).max(1);
        Self {
            full_ns: AtomicU64::new(0),
            each_ns,
            fill_ns: (SECOND_NS / 100).max(each_ns),
        }
    }

    #[inline]
    fn begin(&self, now_ns: u64) -> bool {
        // Relaxed: the number tells of nothing but itself.
        let mut full = self.full_ns.load(Ordering::Relaxed);
        loop {
            let then = full.max(now_ns).saturating_add(self.each_ns);
            if then - now_ns > self.fill_ns {
                return false;
            }
            let moved = self.full_ns.compare_exchange_weak(
                full,
                then,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match moved {
                Ok(_) => return true,
                Err(other) => full = other,
            }
        }
    }

    #[inline]
    fn end(&self) {}
}
