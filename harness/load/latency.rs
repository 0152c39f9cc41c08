//! Latency in HDR histograms: recording, adding up, and the form in which a record keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer};
use ringside_contract::Latency;

/// The longest latency that is told apart, in nanoseconds: ten minutes. Longer ones count as this.
/// All histograms share these bounds, so that they can be added.
const LATENCY_MAX_NS: u64 = 600_000_000_000;

/// Three digits: a value is known to 0.1 %.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latencies in nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_MAX_NS, SIGNIFICANT_DIGITS);
        Self {
            histogram: histogram.expect("the bounds are constants that fit the digits"),
        }
    }

    /// Adds one.
    pub(crate) fn record(&mut self, latency_ns: u64) {
        self.histogram.saturating_record(latency_ns.max(1));
    }

    /// Adds all of `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.histogram
            .add(&other.histogram)
            .expect("all histograms have the same bounds");
    }

    /// The longest; 0 when there is none.
    pub(crate) fn max_ns(&self) -> u64 {
        self.histogram.max()
    }

    /// The median; 0 when there is none.
    pub(crate) fn median_ns(&self) -> u64 {
        self.histogram.value_at_quantile(0.5)
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.histogram.len()
    }

    /// The figures for a record; `None` when there is no latency.
    pub(crate) fn summary(&self) -> Option<Latency> {
        if self.histogram.is_empty() {
            return None;
        }
        let quantile_us = |quantile| self.histogram.value_at_quantile(quantile) as f64 / 1e3;
        Some(Latency {
            mean_us: self.histogram.mean() / 1e3,
            p50_us: quantile_us(0.5),
            p90_us: quantile_us(0.9),
            p95_us: quantile_us(0.95),
            p99_us: quantile_us(0.99),
            p999_us: quantile_us(0.999),
            p9999_us: quantile_us(0.9999),
            max_us: self.histogram.max() as f64 / 1e3,
            histogram: self.encode(),
        })
    }

    fn encode(&self) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&self.histogram, &mut bytes)
            .expect("writing into memory does not fail, and the counts fit");
        STANDARD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_of_a_known_row_are_right() {
        let mut latencies = Latencies::new();
        for value in 1..=10_000_u64 {
            latencies.record(value * 1000);
        }
        let summary = latencies.summary().unwrap();
        for (seen, expected) in [
            (summary.p50_us, 5000.0),
            (summary.p99_us, 9900.0),
            (summary.p999_us, 9990.0),
            (summary.max_us, 10_000.0),
        ] {
            assert!((seen / expected - 1.0).abs() < 0.002, "{seen} {expected}");
        }
    }

    #[test]
    fn an_empty_histogram_has_no_summary() {
        assert_eq!(Latencies::new().summary(), None);
    }

    #[test]
    fn latencies_beyond_the_bound_count_as_the_bound() {
        let mut latencies = Latencies::new();
        latencies.record(u64::MAX);
        latencies.record(0);
        assert_eq!(latencies.len(), 2);
    }

    proptest! {
        #[test]
        fn the_encoded_histogram_reads_back(values in proptest::collection::vec(1_u64..10_000_000_000, 1..50)) {
            let mut latencies = Latencies::new();
            values.iter().for_each(|&value| latencies.record(value));
            let bytes = STANDARD.decode(latencies.summary().unwrap().histogram).unwrap();
            let read: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            prop_assert_eq!(read.len(), values.len() as u64);
            prop_assert_eq!(read.value_at_quantile(0.5), latencies.histogram.value_at_quantile(0.5));
        }

        #[test]
        fn adding_is_recording_both(left in proptest::collection::vec(1_u64..1_000_000, 0..30), right in proptest::collection::vec(1_u64..1_000_000, 0..30)) {
            let (mut one, mut other, mut both) = (Latencies::new(), Latencies::new(), Latencies::new());
            left.iter().for_each(|&value| { one.record(value); both.record(value); });
            right.iter().for_each(|&value| { other.record(value); both.record(value); });
            one.add(&other);
            prop_assert_eq!(one.summary(), both.summary());
        }
    }
}
