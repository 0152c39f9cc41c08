//! A bucket that a token falls into again and again, as one number: the time at which it will be full. It is the generic
//! cell rate algorithm of ITU-T I.371, which is a token bucket without anything that fills it.

use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::rate_limit::RateLimit;

use super::work::NamedLimit;

/// `rate_limit/token_bucket`.
pub(crate) struct TokenBucket {
    /// The time at which the bucket will be full, in parts of a nanosecond.
    full: AtomicU64,
    /// From one token to the next one.
    each: u64,
    /// Until an empty one is full.
    fill: u64,
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

/// Of a nanosecond, of which a token takes hardly more than one at a high rate. They last for nine years.
const PARTS: u64 = 64;
const SECOND: u64 = 1_000_000_000 * PARTS;

impl RateLimit for TokenBucket {
    const NEEDS_CLOCK: bool = true;

    fn new(rate_per_s: u64) -> Self {
        let each = (SECOND / rate_per_s.max(1)).max(1);
        Self {
            full: AtomicU64::new(0),
            each,
            fill: (SECOND / 100).max(each),
        }
    }

    #[inline]
    fn begin(&self, now_ns: u64) -> bool {
        // Relaxed: the number tells of nothing but itself.
        let mut full = self.full.load(Ordering::Relaxed);
        let now = now_ns * PARTS;
        loop {
            let then = full.max(now).saturating_add(self.each);
            if then - now > self.fill {
                return false;
            }
            let moved =
                self.full
                    .compare_exchange_weak(full, then, Ordering::Relaxed, Ordering::Relaxed);
            match moved {
                Ok(_) => return true,
                Err(other) => full = other,
            }
        }
    }

    #[inline]
    fn end(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_go_on_as_it_says_where_a_token_takes_no_whole_nanoseconds() {
        for rate in [1_000, 60_000_000, 300_000_000, 600_000_000] {
            let (limit, mut went_on) = (TokenBucket::new(rate), 0_u64);
            // A tenth of a second, in which more ask than may go on.
            let (steps, begin) = (20_000, 1_000_000_000);
            for step in 0..steps {
                let now = begin + step * 5_000;
                while limit.begin(now) {
                    went_on += 1;
                }
            }
            // What was in the bucket goes on at once.
            let expected = rate / 10 + (rate / 100).max(1);
            assert!(
                went_on.abs_diff(expected) * 100 <= expected,
                "{rate}: {went_on}"
            );
        }
    }
}
