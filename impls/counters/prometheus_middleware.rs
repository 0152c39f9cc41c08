//! What document 003 puts around each request: a counter, two looks at the clock, and a histogram.

use std::time::Instant;

use prometheus::{Counter, Histogram, HistogramOpts};
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/prometheus_middleware`.
pub(crate) struct Middleware {
    requests: Counter,
    seconds: Histogram,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/prometheus_middleware",
    about: "Document 003's middleware around a request that does nothing: a Counter, two looks at the clock and a Histogram of the crate prometheus.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for Middleware {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        // The names are constants that the crate accepts.
        let requests = Counter::new("requests_total", "Requests.");
        let options = HistogramOpts::new("request_seconds", "How long requests take.");
        Self {
            requests: requests.expect("the name is a valid one"),
            seconds: Histogram::with_opts(options).expect("the name is a valid one"),
        }
    }
}

impl SharedCounter for Middleware {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl CounterHandle for &Middleware {
    #[inline]
    fn count(&mut self) {
        let start = Instant::now();
        self.requests.inc();
        // Here the document's request is served.
        self.seconds.observe(start.elapsed().as_secs_f64());
    }

    /// Every request is in both; the histogram has it last.
    fn total(&mut self) -> u64 {
        self.seconds.get_sample_count()
    }
}
