//! The counter of the crate prometheus that document 003 uses: a float, which is exchanged until nobody else was faster.

use prometheus::Counter;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::counters::{CounterHandle, SharedCounter};

use super::work::NamedCounter;

/// `counters/prometheus`.
pub(crate) struct Prometheus(Counter);

static META: ImplementationMeta = ImplementationMeta {
    id: "counters/prometheus",
    about: "A Counter of the crate prometheus, which is a float: what document 003 uses.",
    axes: &[],
    ranked: true,
};

impl NamedCounter for Prometheus {
    const META: &'static ImplementationMeta = &META;

    fn new() -> Self {
        // The name is a constant that the crate accepts.
        Self(Counter::new("operations_total", "Operations.").expect("the name is a valid one"))
    }
}

impl SharedCounter for Prometheus {
    type Handle<'a> = &'a Self;

    fn handle(&self) -> &Self {
        self
    }
}

impl CounterHandle for &Prometheus {
    #[inline]
    fn count(&mut self) {
        self.0.inc();
    }

    #[inline]
    fn total(&mut self) -> u64 {
        // Whole numbers up to 2^53 are exact.
        self.0.get() as u64
    }
}
