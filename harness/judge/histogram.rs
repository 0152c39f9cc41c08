//! Percentile curves from merged HDR histograms. Histograms of several blocks can be added;
//! percentiles cannot.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use ringside_contract::{CurvePoint, Measures};

/// The points of a curve, closer together with each further nine.
const PERCENTILES: [f64; 42] = [
    0.0, 5.0, 10.0, 20.0, 25.0, 30.0, 40.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0, 80.0, 82.5, 85.0,
    87.5, 90.0, 91.0, 92.0, 93.0, 94.0, 95.0, 96.0, 97.0, 98.0, 99.0, 99.2, 99.4, 99.5, 99.6, 99.8,
    99.9, 99.92, 99.95, 99.97, 99.99, 99.995, 99.999, 99.9995, 99.9999, 100.0,
];

/// The curve over all blocks, with the lowest and highest of the blocks at each point; and how many
/// histograms could not be read. Points finer than the number of operations can tell apart are left
/// out; the longest stays.
pub(crate) fn curve<'a>(blocks: impl Iterator<Item = &'a Measures>) -> (Vec<CurvePoint>, usize) {
    let mut reader = Deserializer::new();
    let mut merged: Option<Histogram<u64>> = None;
    let mut bounds = [(f64::INFINITY, 0.0_f64); PERCENTILES.len()];
    let mut broken = 0;
    for latency in blocks.filter_map(|measures| measures.latency.as_ref()) {
        if latency.histogram.is_empty() {
            continue;
        }
        let Some(histogram) = decode(&mut reader, &latency.histogram) else {
            broken += 1;
            continue;
        };
        for (bound, value) in bounds.iter_mut().zip(microseconds(&histogram)) {
            *bound = (bound.0.min(value), bound.1.max(value));
        }
        let added = match &mut merged {
            None => {
                merged = Some(histogram);
                true
            }
            Some(merged) => {
                merged.auto(true);
                merged.add(&histogram).is_ok()
            }
        };
        broken += usize::from(!added);
    }
    (
        merged.map_or_else(Vec::new, |merged| points(&merged, &bounds)),
        broken,
    )
}

fn points(merged: &Histogram<u64>, bounds: &[(f64, f64)]) -> Vec<CurvePoint> {
    let operations = merged.len() as f64;
    PERCENTILES
        .iter()
        .zip(microseconds(merged))
        .zip(bounds)
        .filter(|((percentile, _), _)| is_resolved(**percentile, operations))
        .map(|((percentile, latency_us), (low_us, high_us))| CurvePoint {
            percentile: *percentile,
            latency_us,
            low_us: *low_us,
            high_us: *high_us,
        })
        .collect()
}

/// Whether one operation or more lies beyond the percentile; the tolerance is for the rounding of
/// percentages such as 99.9.
fn is_resolved(percentile: f64, operations: f64) -> bool {
    percentile == 100.0 || (100.0 - percentile) * operations >= 99.99
}

/// The values at all percentiles, in one pass over the histogram.
fn microseconds(histogram: &Histogram<u64>) -> impl Iterator<Item = f64> + '_ {
    histogram
        .value_at_percentiles(PERCENTILES)
        .map(|nanoseconds| nanoseconds as f64 / 1e3)
}

/// A histogram that holds something; `None` when the text is none or it is empty.
fn decode(reader: &mut Deserializer, text: &str) -> Option<Histogram<u64>> {
    let bytes = STANDARD.decode(text).ok()?;
    let histogram: Histogram<u64> = reader.deserialize(&mut bytes.as_slice()).ok()?;
    (!histogram.is_empty()).then_some(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
    use ringside_contract::Latency;

    fn block(values: impl Iterator<Item = u64>) -> Measures {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        for value in values {
            histogram.record(value).unwrap();
        }
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&histogram, &mut bytes)
            .unwrap();
        let latency = Latency {
            histogram: STANDARD.encode(bytes),
            ..Latency::default()
        };
        Measures {
            latency: Some(latency),
            ..Measures::default()
        }
    }

    #[test]
    fn merged_curve_is_that_of_all_values_together() {
        let blocks = [
            block((1..=500).map(|us| us * 1000)),
            block((501..=1000).map(|us| us * 1000)),
        ];
        let (curve, broken) = curve(blocks.iter());
        assert_eq!(broken, 0);
        let at = |percentile| {
            *curve
                .iter()
                .find(|point| point.percentile == percentile)
                .unwrap()
        };
        let close = |value: f64, expected: f64| (value / expected - 1.0).abs() < 0.002;
        assert!(close(at(50.0).latency_us, 500.0), "{:?}", at(50.0));
        assert!(close(at(99.0).latency_us, 990.0), "{:?}", at(99.0));
        assert!(
            close(at(50.0).low_us, 250.0) && close(at(50.0).high_us, 750.0),
            "{:?}",
            at(50.0)
        );
        assert!(close(at(100.0).latency_us, 1000.0));
        // A thousand operations tell 99.9 % apart, and nothing beyond it but the longest.
        assert!(curve.iter().any(|point| point.percentile == 99.9));
        assert!(
            curve
                .iter()
                .all(|point| point.percentile <= 99.9 || point.percentile == 100.0)
        );
    }

    #[test]
    fn broken_histograms_are_counted() {
        let latency = Latency {
            histogram: "not base64".to_owned(),
            ..Latency::default()
        };
        let broken = Measures {
            latency: Some(latency),
            ..Measures::default()
        };
        assert_eq!(curve([&broken].into_iter()).1, 1);
        assert_eq!(curve(std::iter::empty()), (Vec::new(), 0));
    }

    #[test]
    fn percentiles_rise() {
        assert!(PERCENTILES.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
