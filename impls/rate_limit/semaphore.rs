//! A semaphore with as many permits as the limit is high: what document 003 calls a rate limiter. It limits how many
//! requests are under way, and not how many there are in a second: the faster they are, the more go through.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::rate_limit::RateLimit;

use super::work::NamedLimit;

/// `rate_limit/semaphore`.
pub(crate) struct Semaphore(tokio::sync::Semaphore);

static META: ImplementationMeta = ImplementationMeta {
    id: "rate_limit/semaphore",
    about: "tokio::sync::Semaphore with a permit for each request of a second, as the document has it: a limit of requests at a time.",
    axes: &[],
    ranked: true,
};

impl NamedLimit for Semaphore {
    const META: &'static ImplementationMeta = &META;
}

impl RateLimit for Semaphore {
    const NEEDS_CLOCK: bool = false;

    fn new(rate_per_s: u64) -> Self {
        let most = tokio::sync::Semaphore::MAX_PERMITS;
        let permits = usize::try_from(rate_per_s).map_or(most, |rate| rate.clamp(1, most));
        Self(tokio::sync::Semaphore::new(permits))
    }

    #[inline]
    fn begin(&self, _: u64) -> bool {
        // The document waits; here nobody has to, as it is a limit of how many, and there are fewer.
        self.0.try_acquire().is_ok_and(|permit| {
            permit.forget();
            true
        })
    }

    #[inline]
    fn end(&self) {
        self.0.add_permits(1);
    }
}
