//! Figures in sentences.

/// A figure with about three significant digits, or all digits before the point.
pub(crate) fn figure(value: f64) -> String {
    precise(value, 0)
}

/// Figures of one sentence, with as many digits as it takes to tell apart those that differ.
pub(crate) fn apart<const COUNT: usize>(values: [f64; COUNT]) -> [String; COUNT] {
    let texts = |more| values.map(|value| precise(value, more));
    let told = |texts: &[String; COUNT]| {
        let same = |a: usize, b: usize| texts[a] == texts[b] && values[a] < values[b];
        !(0..COUNT).any(|a| (0..COUNT).any(|b| same(a, b)))
    };
    (0..6).map(texts).find(told).unwrap_or_else(|| texts(0))
}

/// A figure with so many digits more than usual.
fn precise(value: f64, more: usize) -> String {
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
    let decimals = decimals + more;
    format!("{value:.decimals$}")
}

/// A figure with its unit and its digits in groups of three, such as `139 339 op/s`; what is counted is
/// said where the figure stands.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    let text = figure(value);
    let digits = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (place, digit) in text.chars().enumerate() {
        if place > 0
            && place < digits
            && (digits - place).is_multiple_of(3)
            && digit.is_ascii_digit()
        {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    match unit {
        "count" => grouped,
        unit => format!("{grouped} {unit}"),
    }
}

/// A share as a percentage, such as `1.2 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", figure(100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(quantity(262_590.3, "count"), "262\u{202f}590");
        assert_eq!(quantity(1057.0, "op/s"), "1\u{202f}057 op/s");
        assert_eq!(quantity(0.116, "s"), "0.116 s");
        assert_eq!(quantity(999.0, "count"), "999");
    }

    #[test]
    fn a_bound_near_an_end_is_told_from_it() {
        assert_eq!(apart([1.0487, 1.108, 1.05]), ["1.049", "1.108", "1.050"]);
        assert_eq!(apart([0.5, 2.0, 1.0]), ["0.500", "2.00", "1.00"]);
        assert_eq!(apart([1.0, 1.0]), ["1.00", "1.00"]);
    }

    #[test]
    fn three_digits_are_kept() {
        let shown: Vec<_> = [123_456.7, 12.34, 1.234, 0.1234, 0.001_234, 0.0]
            .map(figure)
            .to_vec();
        assert_eq!(shown, ["123457", "12.3", "1.23", "0.123", "0.00123", "0"]);
        assert_eq!(percent(0.0123), "1.23 %");
    }
}
