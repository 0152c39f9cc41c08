//! Figures in sentences.

/// A figure with about three significant digits, or all digits before the point.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 100.0 || size == 0.0 {
        0
    } else if size >= 10.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        // Three digits behind the leading zeros; ten are enough for any figure that is measured.
        (2.0 - size.log10().floor()).clamp(2.0, 10.0) as usize
    };
    format!("{value:.decimals$}")
}

/// A share as a percentage, such as `1.2 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", figure(100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept() {
        let shown: Vec<_> = [123_456.7, 12.34, 1.234, 0.1234, 0.001_234, 0.0]
            .map(figure)
            .to_vec();
        assert_eq!(shown, ["123457", "12.3", "1.23", "0.123", "0.00123", "0"]);
        assert_eq!(percent(0.0123), "1.23 %");
    }
}
