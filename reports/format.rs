//! Figures for readers: three significant digits, a unit that keeps the number short, and one scale for
//! a figure and its interval, so that they can be compared at a glance.

use ringside_contract::Interval;

/// The narrow no-break space between a number and its unit, and between groups of digits.
pub(crate) const THIN: &str = "\u{202f}";

/// What stands where there is no figure.
pub(crate) const NONE: &str = "–";

/// Halves of an interval that differ by more than this share of the larger one are no `±`.
const UNEVEN: f64 = 0.25;

/// A figure with its interval, ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    /// The median with its unit, such as `7.12 µs`.
    pub(crate) point: String,
    /// The interval with its unit, such as `7.05–7.20 µs`.
    pub(crate) range: String,
    /// How wide the interval is: `± 1.2 %` where the median stands in its middle, else its ends in the
    /// unit of the point, such as `7.05–9.20`. Empty when there was one sample.
    pub(crate) spread: String,
}

/// How a figure of one unit is written: divided by `divisor`, with `suffix` behind it.
#[derive(Debug, Clone, PartialEq)]
struct Scale {
    divisor: f64,
    suffix: String,
}

/// Formats an interval; all of its numbers share the scale of its median.
pub(crate) fn figure(interval: &Interval, unit: &str) -> Figure {
    let scale = scale(interval.point, unit);
    let decimals = decimals(interval.point / scale.divisor);
    let write = |value: f64| fixed(value / scale.divisor, decimals);
    let range = if interval.low == interval.high {
        format!("{}{}", write(interval.point), scale.suffix)
    } else {
        format!(
            "{}–{}{}",
            write(interval.low),
            write(interval.high),
            scale.suffix
        )
    };
    Figure {
        point: format!("{}{}", write(interval.point), scale.suffix),
        range,
        // Ends that read alike say no more than the point.
        spread: if write(interval.low) == write(interval.high) {
            Some(String::new())
        } else {
            spread(interval)
        }
        .unwrap_or_else(|| format!("{}–{}", write(interval.low), write(interval.high))),
    }
}

/// Formats a ratio with two digits behind the point, `0.87×` and `0.85–0.89`: in a matrix every column
/// more counts, and a third digit is noise.
pub(crate) fn times(ratio: &Interval) -> (String, String) {
    let write = |value: f64| {
        fixed(
            value,
            if value.abs() < 9.995 {
                2
            } else {
                decimals(value)
            },
        )
    };
    (
        format!("{}×", write(ratio.point)),
        format!("{}–{}", write(ratio.low), write(ratio.high)),
    )
}

/// Formats an interval of a ratio close to 1 with three digits behind the point, `0.991–1.013×`.
pub(crate) fn times_finely(ratio: &Interval) -> String {
    let write = |value: f64| {
        fixed(
            value,
            if value.abs() < 9.995 {
                3
            } else {
                decimals(value)
            },
        )
    };
    format!("{}–{}×", write(ratio.low), write(ratio.high))
}

/// Formats one value with three significant digits and its unit.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    let scale = scale(value, unit);
    let scaled = value / scale.divisor;
    format!("{}{}", fixed(scaled, decimals(scaled)), scale.suffix)
}

/// Formats a bound of a claim: as [`quantity`], without zeros that say nothing (`10 ms`, not `10.0 ms`).
pub(crate) fn bound(value: f64, unit: &str) -> String {
    let scale = scale(value, unit);
    let scaled = value / scale.divisor;
    let mut text = fixed(scaled, decimals(scaled));
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    format!("{text}{}", scale.suffix)
}

/// A share as per cent, with one digit below 10 %: 0.0123 is `1.2 %`.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let value = share * 100.0;
    let decimals = if value != 0.0 && value.abs() < 9.95 {
        1
    } else {
        0
    };
    format!("{}{THIN}%", fixed(value, decimals))
}

/// How sure an interval is: `8 pairs, 99 %`; or that it is only the range of what was seen. `one` and
/// `many` say what its samples are.
pub(crate) fn certainty(interval: &Interval, one: &str, many: &str) -> String {
    match (interval.samples, interval.confidence) {
        (0 | 1, _) => format!("one {one}{THIN}only"),
        (samples, confidence) if confidence > 0.0 => {
            format!(
                "{samples}{THIN}{many}, {:.0}{THIN}%",
                (confidence * 100.0).floor()
            )
        }
        (samples, _) => format!("extremes of {samples}{THIN}{many}"),
    }
}

/// A whole number in groups of three digits: `12 345`.
pub(crate) fn grouped(value: u64) -> String {
    group(&value.to_string())
}

/// `1 claim`, `2 claims`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!(
        "{}{THIN}{}",
        grouped(count as u64),
        if count == 1 { one } else { many }
    )
}

/// A time in seconds since 1970 as `2026-11-20 11:07 UTC`, by the days-from-civil algorithm (no clock,
/// no time zone).
pub(crate) fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01; eras of 400 years have 146,097 days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        rest / 3_600,
        rest / 60 % 60
    )
}

/// A length of time in words that fit a line: `42 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}{THIN}s"),
        60..3_600 => format!("{}{THIN}min {}{THIN}s", seconds / 60, seconds % 60),
        _ => format!("{}{THIN}h {}{THIN}min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// The larger half of the interval as a share of the median, empty without an interval; `None` where the
/// halves are so unequal that one figure would mislead.
fn spread(interval: &Interval) -> Option<String> {
    let (upper, lower) = (
        interval.high - interval.point,
        interval.point - interval.low,
    );
    let half = upper.max(lower);
    if interval.samples < 2 || !half.is_finite() || interval.low == interval.high {
        return Some(String::new());
    }
    let share = half / interval.point.abs();
    let is_even = (upper - lower).abs() <= UNEVEN * half || share < 0.001;
    (is_even && share <= 1.0).then(|| format!("±{THIN}{}", percent(share)))
}

/// The scale for a value of `unit`. A unit may have a denominator: `us/op`, `B/s`.
fn scale(value: f64, unit: &str) -> Scale {
    let (base, per) = match unit.split_once('/') {
        Some((base, per)) => (base, format!("/{per}")),
        None => (unit, String::new()),
    };
    if let Some(seconds) = seconds(base) {
        return time_scale(value, seconds, &per);
    }
    if let Some(bytes) = bytes(base) {
        return byte_scale(value, bytes, base.contains('i'), &per);
    }
    match unit {
        "ratio" | "x" | "×" => Scale {
            divisor: 1.0,
            suffix: "×".to_owned(),
        },
        "share" => Scale {
            divisor: 0.01,
            suffix: format!("{THIN}%"),
        },
        _ => count_scale(value, unit),
    }
}

/// Seconds in one `unit`, when it is a unit of time.
fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    })
}

/// Bytes in one `unit`, when it is a unit of memory.
fn bytes(unit: &str) -> Option<f64> {
    Some(match unit {
        "B" | "bytes" => 1.0,
        "KiB" => 1_024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    })
}

fn time_scale(value: f64, seconds: f64, per: &str) -> Scale {
    let (size, name) = match (value * seconds).abs() {
        // A time of 0 keeps its unit; 999.5 would be printed as 1000.
        0.0 => (
            seconds,
            ["ns", "µs", "ms", "s"][((seconds.log10() + 9.0) / 3.0) as usize % 4],
        ),
        time if time < 999.5e-9 => (1e-9, "ns"),
        time if time < 999.5e-6 => (1e-6, "µs"),
        time if time < 999.5e-3 => (1e-3, "ms"),
        _ => (1.0, "s"),
    };
    Scale {
        divisor: size / seconds,
        suffix: format!("{THIN}{name}{per}"),
    }
}

fn byte_scale(value: f64, bytes: f64, binary: bool, per: &str) -> Scale {
    let total = (value * bytes).abs();
    // Rates are decimal by custom; a plain `B` is memory and read in binary units.
    let binary = binary || (bytes == 1.0 && per.is_empty());
    let step: f64 = if binary { 1_024.0 } else { 1_000.0 };
    let names = if binary {
        ["B", "KiB", "MiB", "GiB"]
    } else {
        ["B", "kB", "MB", "GB"]
    };
    let power = (1..4)
        .take_while(|&power| total >= 0.9995 * step.powi(power))
        .count();
    Scale {
        divisor: step.powi(power as i32) / bytes,
        suffix: format!("{THIN}{}{per}", names[power]),
    }
}

fn count_scale(value: f64, unit: &str) -> Scale {
    let (divisor, prefix) = match value.abs() {
        size if size >= 999.5e6 => (1e9, "G"),
        size if size >= 999.5e3 => (1e6, "M"),
        size if size >= 9_999.5 => (1e3, "k"),
        _ => (1.0, ""),
    };
    // What is counted is said where the figure stands.
    let unit = if matches!(unit, "count" | "bool") {
        ""
    } else {
        unit
    };
    let gap = if unit.is_empty() { "" } else { THIN };
    Scale {
        divisor,
        suffix: format!("{prefix}{gap}{unit}"),
    }
}

/// Digits behind the point that make three significant ones; at most 4.
fn decimals(value: f64) -> usize {
    match value.abs() {
        0.0 => 0,
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.09995 => 3,
        size if size.is_nan() => 0,
        _ => 4,
    }
}

fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value.abs() >= 1e12 {
        return format!("{value:.2e}");
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{}{point}{fraction}", group(whole))
}

fn group(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * THIN.len());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(THIN);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, point: f64, high: f64) -> Interval {
        Interval {
            low,
            point,
            high,
            confidence: 0.98,
            samples: 8,
        }
    }

    fn plain(text: &str) -> String {
        text.replace(THIN, " ")
    }

    #[test]
    fn quantities_have_three_digits_and_a_short_unit() {
        for (value, unit, expected) in [
            (7_123.0, "ns", "7.12 µs"),
            (999.9, "us", "1.00 ms"),
            (0.000_4, "s", "400 µs"),
            (40_012.0, "op/s", "40.0k op/s"),
            (5_000.0, "msg/s", "5 000 msg/s"),
            (1_234_567.0, "", "1.23M"),
            (98_566_144.0, "B", "94.0 MiB"),
            (96.0, "MiB", "96.0 MiB"),
            (2.36e9, "B/s", "2.36 GB/s"),
            (7.1, "us/op", "7.10 µs/op"),
            (0.31, "count", "0.310"),
            (2.36, "GB/s", "2.36 GB/s"),
            (1.0749, "ratio", "1.07×"),
            (0.0123, "share", "1.23 %"),
            (0.0, "us", "0 µs"),
            (0.0, "", "0"),
            (-12.5, "%", "−12.5 %"),
            (-0.000_01, "%", "0.0000 %"),
            (f64::NAN, "", "–"),
            (f64::MAX, "B", "1.67e299 GiB"),
        ] {
            assert_eq!(plain(&quantity(value, unit)), expected, "{value} {unit}");
        }
    }

    #[test]
    fn a_figure_and_its_interval_share_one_scale() {
        let figure = figure(&interval(980.0, 1_010.0, 1_200.0), "us");
        assert_eq!(plain(&figure.point), "1.01 ms");
        assert_eq!(plain(&figure.range), "0.98–1.20 ms");
        assert_eq!(figure.spread, "0.98–1.20", "unequal halves are no ±");
    }

    #[test]
    fn ratios_have_two_digits_behind_the_point() {
        let (point, range) = times(&interval(0.8749, 0.8849, 0.9049));
        assert_eq!((point.as_str(), range.as_str()), ("0.88×", "0.87–0.90"));
    }

    #[test]
    fn bounds_drop_empty_zeros() {
        for (value, unit, expected) in [
            (10.0, "ms", "10 ms"),
            (1.2, "ratio", "1.2×"),
            (500_000.0, "msg/s", "500k msg/s"),
            (100.0, "MB", "100 MB"),
            (0.5, "ms", "500 µs"),
        ] {
            assert_eq!(plain(&bound(value, unit)), expected, "{value} {unit}");
        }
    }

    #[test]
    fn one_sample_has_no_spread() {
        let single = Interval {
            low: 3.0,
            point: 3.0,
            high: 3.0,
            confidence: 0.0,
            samples: 1,
        };
        assert_eq!(figure(&single, "ms").spread, "");
        assert_eq!(plain(&figure(&single, "ms").range), "3.00 ms");
    }

    #[test]
    fn an_interval_says_how_sure_it_is() {
        let of = |samples, confidence| {
            let interval = Interval {
                confidence,
                samples,
                ..interval(1.0, 2.0, 3.0)
            };
            plain(&certainty(&interval, "pair", "pairs"))
        };
        assert_eq!(of(8, 0.9922), "8 pairs, 99 %");
        assert_eq!(of(3, 0.0), "extremes of 3 pairs");
        assert_eq!(of(1, 0.0), "one pair only");
    }

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_795_172_820), "2026-11-20 11:07 UTC");
        assert_eq!(plain(&span(200)), "3 min 20 s");
        assert_eq!(plain(&span(3_900)), "1 h 5 min");
    }

    #[test]
    fn counts_have_groups_and_plurals() {
        assert_eq!(plain(&counted(1, "claim", "claims")), "1 claim");
        assert_eq!(plain(&counted(12_345, "cell", "cells")), "12 345 cells");
    }
}
