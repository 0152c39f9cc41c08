//! Units of claims and metrics, and the way from one to another.

/// What a unit measures. Only units of one dimension can be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Time,
    Rate,
    Bandwidth,
    Size,
    Fraction,
    Count,
    Cycles,
}

/// Every unit: its name, what it measures, and its size in the base unit (second, one a second, byte a
/// second, byte, one). KB, MB and GB are powers of ten, KiB, MiB and GiB of two.
const UNITS: &[(&str, Dimension, f64)] = &[
    ("ns", Dimension::Time, 1e-9),
    ("us", Dimension::Time, 1e-6),
    ("ms", Dimension::Time, 1e-3),
    ("s", Dimension::Time, 1.0),
    ("op/s", Dimension::Rate, 1.0),
    ("req/s", Dimension::Rate, 1.0),
    ("msg/s", Dimension::Rate, 1.0),
    ("conn/s", Dimension::Rate, 1.0),
    ("B/s", Dimension::Bandwidth, 1.0),
    ("KB/s", Dimension::Bandwidth, 1e3),
    ("MB/s", Dimension::Bandwidth, 1e6),
    ("GB/s", Dimension::Bandwidth, 1e9),
    ("KiB/s", Dimension::Bandwidth, 1024.0),
    ("MiB/s", Dimension::Bandwidth, 1_048_576.0),
    ("GiB/s", Dimension::Bandwidth, 1_073_741_824.0),
    ("Mbit/s", Dimension::Bandwidth, 125e3),
    ("Gbit/s", Dimension::Bandwidth, 125e6),
    ("B", Dimension::Size, 1.0),
    ("KB", Dimension::Size, 1e3),
    ("MB", Dimension::Size, 1e6),
    ("GB", Dimension::Size, 1e9),
    ("KiB", Dimension::Size, 1024.0),
    ("MiB", Dimension::Size, 1_048_576.0),
    ("GiB", Dimension::Size, 1_073_741_824.0),
    ("%", Dimension::Fraction, 0.01),
    ("ratio", Dimension::Fraction, 1.0),
    ("x", Dimension::Fraction, 1.0),
    ("count", Dimension::Count, 1.0),
    ("conn", Dimension::Count, 1.0),
    ("bool", Dimension::Count, 1.0),
    ("cycles", Dimension::Cycles, 1.0),
];

/// Whether this is the name of a unit.
pub(crate) fn is_unit(name: &str) -> bool {
    UNITS.iter().any(|(unit, _, _)| *unit == name)
}

/// The size of a unit in the base unit of what it measures.
pub(crate) fn in_base(unit: &str) -> Option<f64> {
    UNITS
        .iter()
        .find(|(name, _, _)| *name == unit)
        .map(|(_, _, size)| *size)
}

/// The factor that turns a figure in `from` into one in `into`: `figure * convert(from, into)?`.
/// `None` when a unit is unknown or the two measure different things.
pub fn convert(from: &str, into: &str) -> Option<f64> {
    if from == into {
        return Some(1.0);
    }
    let find = |name| UNITS.iter().find(|(unit, _, _)| *unit == name);
    let (_, source, numerator) = find(from)?;
    let (_, target, denominator) = find(into)?;
    (source == target).then_some(numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::convert;

    #[test]
    fn units_of_one_dimension_convert() {
        let close = |from, into, expected: f64| {
            let factor = convert(from, into).unwrap();
            assert!(
                (factor / expected - 1.0).abs() < 1e-12,
                "{from} into {into}: {factor}"
            );
        };
        close("us", "ms", 1e-3);
        close("s", "ns", 1e9);
        close("op/s", "req/s", 1.0);
        close("GB/s", "Gbit/s", 8.0);
        close("MiB", "KiB", 1024.0);
        close("%", "ratio", 0.01);
        close("cycles", "cycles", 1.0);
    }

    #[test]
    fn units_of_different_dimensions_do_not() {
        assert_eq!(convert("us", "B"), None);
        assert_eq!(convert("us", "cycles"), None);
    }
}
