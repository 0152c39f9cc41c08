//! The counter of the crate prometheus that is a whole number.

use prometheus::IntCounter;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/prometheus_int`.
pub(crate) struct PrometheusInt(IntCounter);

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/prometheus_int",
    about: "An IntCounter of the crate prometheus: a whole number.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for PrometheusInt {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        // The name is a constant that the crate accepts.
        Self(IntCounter::new("operations_total", "Operations.").expect("the name is a valid one"))
    }
}

impl SharedCounter for PrometheusInt {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl CounterHandle for &PrometheusInt {
    #[inline]
    fn count(&mut self) {
        self.0.inc();
    }

    #[inline]
    fn total(&mut self) -> u64 {
        self.0.get()
    }
}
