//! Slowdowns, figures and verdicts in words, the same in each form.

use ringside_contract::{
    CountedChange, CountedState, GateReport, GateRow, GateVerdict, Interval, MetricChange,
};

use crate::format::{THIN, bound, grouped, percent, quantity};
use crate::view;

/// Shares below this are written as 0.0 %, which is neither slower nor faster.
const NOTHING: f64 = 0.000_5;

/// The class of a verdict's colours, its sign and its word, so that colour never stands alone.
pub(crate) fn verdict_look(verdict: &GateVerdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        GateVerdict::Regression => ("missed", "✕", "regression"),
        GateVerdict::Pass => ("met", "✓", "pass"),
        GateVerdict::Undecided { .. } => ("undecided", "?", "undecided"),
        GateVerdict::New { .. } => ("notrun", "○", "new"),
    }
}

/// As [`verdict_look`], for a counted figure.
pub(crate) fn counted_look(state: &CountedState) -> (&'static str, &'static str, &'static str) {
    match state {
        CountedState::Same => ("met", "✓", "same"),
        CountedState::Warning => ("undecided", "!", "worth a look"),
        CountedState::Regression => ("missed", "✕", "regression"),
        CountedState::New => ("notrun", "○", "new"),
        CountedState::Gone => ("undecided", "!", "gone"),
        CountedState::NotCounted { .. } => ("notrun", "○", "not counted"),
    }
}

/// The overall verdict in one line: `✕ Regression: of 4 comparisons, 1 regression, 2 pass, 1 new.`
pub(crate) fn headline(report: &GateReport) -> String {
    let (_, sign, word) = verdict_look(&report.verdict);
    let mut words = word.to_owned();
    words[..1].make_ascii_uppercase();
    let reason = match &report.verdict {
        GateVerdict::Undecided { because, remedy } => {
            format!(" {} {}", closed(because), closed(remedy))
        }
        GateVerdict::New { because } => format!(" {}", closed(because)),
        GateVerdict::Regression | GateVerdict::Pass => String::new(),
    };
    format!("{sign} {words}: {}.{reason}", tally(report))
}

/// How the rows came out, and the counted figures that count as failures.
fn tally(report: &GateReport) -> String {
    let count = |wanted: &str| {
        let rows = report.rows.iter();
        rows.filter(|row| verdict_look(&row.verdict).2 == wanted)
            .count()
    };
    let parts: Vec<String> = ["regression", "pass", "undecided", "new"]
        .into_iter()
        .map(|word| (count(word), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count}{THIN}{word}"))
        .collect();
    let mut text = match report.rows.len() {
        0 => "nothing was compared".to_owned(),
        1 => format!("of 1{THIN}comparison, {}", parts.join(", ")),
        all => format!("of {all}{THIN}comparisons, {}", parts.join(", ")),
    };
    let worse = report.counted.iter();
    match worse
        .filter(|one| one.state == CountedState::Regression)
        .count()
    {
        0 => {}
        1 => text.push_str("; 1 counted figure regressed"),
        worse => text.push_str(&format!("; {worse} counted figures regressed")),
    }
    text
}

/// `2.1 % slower, between 1.4 % and 2.9 %`; ends on both sides of zero say so each.
pub(crate) fn slowdown(interval: &Interval) -> String {
    let Interval {
        low, point, high, ..
    } = *interval;
    if ![low, point, high].iter().all(|value| value.is_finite()) {
        return "no figure".to_owned();
    }
    let share = |value: f64| percent(value.abs());
    let point = match side(point) {
        "" => "level".to_owned(),
        word => format!("{} {word}", share(point)),
    };
    if interval.samples < 2 {
        return format!("{point}, one triple only");
    }
    // Ends on the same side as the figure need no word; the nearer one to zero comes first.
    let ends = match (side(low), side(high)) {
        ("faster", "slower") => format!("{} faster and {} slower", share(low), share(high)),
        ("", "") => return point,
        ("faster", _) if point.ends_with("faster") => format!("{} and {}", share(high), share(low)),
        ("faster", _) => format!("{} and {} faster", share(high), share(low)),
        _ if point.ends_with("slower") => format!("{} and {}", share(low), share(high)),
        _ => format!("{} and {} slower", share(low), share(high)),
    };
    format!("{point}, between {ends}")
}

fn side(share: f64) -> &'static str {
    if share.abs() < NOTHING {
        ""
    } else if share > 0.0 {
        "slower"
    } else {
        "faster"
    }
}

/// The threshold of a row as per cent: `5 %`.
pub(crate) fn threshold(row: &GateRow) -> String {
    bound(row.threshold, "share")
}

/// The figure that a row is told by: the first that decides, or else the first.
pub(crate) fn leading(changes: &[MetricChange]) -> Option<&MetricChange> {
    let decides = changes.iter().find(|change| change.left_out.is_none());
    decides.or_else(|| changes.first())
}

/// A metric's name in words.
pub(crate) fn metric_words(metric: &str) -> String {
    match metric {
        "rate" => "operations a second".to_owned(),
        "processor_time" => "server time an operation".to_owned(),
        other => view::metric_words(other),
    }
}

/// The medians of both sides with their unit: `40.0k op/s → 39.1k op/s`.
pub(crate) fn medians(change: &MetricChange) -> String {
    let [base, head] = [change.base, change.head].map(|value| quantity(value, &change.unit));
    format!("{base} → {head}")
}

/// Both counts and how far they lie apart: `1 200 → 1 260 (5.0 % more)`.
pub(crate) fn counts(change: &CountedChange) -> String {
    let written =
        |count: Option<f64>, side| count.map_or_else(|| format!("not in {side}"), count_words);
    let both = format!(
        "{} → {}",
        written(change.base, "base"),
        written(change.head, "head")
    );
    match (change.base, change.head) {
        (Some(base), Some(head)) if base > 0.0 && head.is_finite() && head != base => {
            let word = if head > base { "more" } else { "fewer" };
            format!("{both} ({} {word})", percent(((head - base) / base).abs()))
        }
        (None, None) => String::new(),
        _ => both,
    }
}

/// A whole count in full, because three digits would hide the difference.
fn count_words(count: f64) -> String {
    // Whole numbers below 10^15 are exact in a float.
    if count.fract() == 0.0 && (0.0..1e15).contains(&count) {
        grouped(count as u64)
    } else {
        quantity(count, "")
    }
}

/// Text from elsewhere as a sentence with its full stop.
pub(crate) fn closed(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.ends_with(['.', '!', '?']) || text.is_empty() {
        ""
    } else {
        "."
    };
    format!("{text}{stop}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(low: f64, point: f64, high: f64) -> String {
        let interval = Interval {
            low,
            point,
            high,
            confidence: 0.98,
            samples: 9,
        };
        slowdown(&interval).replace(THIN, " ")
    }

    #[test]
    fn a_slowdown_reads_as_words() {
        for (low, point, high, expected) in [
            (0.014, 0.021, 0.029, "2.1 % slower, between 1.4 % and 2.9 %"),
            (
                -0.029,
                -0.021,
                -0.014,
                "2.1 % faster, between 1.4 % and 2.9 %",
            ),
            (
                -0.01,
                0.002,
                0.02,
                "0.2 % slower, between 1.0 % faster and 2.0 % slower",
            ),
            (
                -0.02,
                -0.01,
                0.000_1,
                "1.0 % faster, between 0.0 % and 2.0 %",
            ),
            (
                -0.01,
                0.0,
                0.01,
                "level, between 1.0 % faster and 1.0 % slower",
            ),
            (0.0, 0.0, 0.02, "level, between 0 % and 2.0 % slower"),
            (-0.02, 0.0, 0.0, "level, between 0 % and 2.0 % faster"),
            (0.0, 0.0, 0.0, "level"),
            (1.5, 2.5, 3.5, "250 % slower, between 150 % and 350 %"),
            (f64::NAN, 0.1, 0.2, "no figure"),
        ] {
            assert_eq!(said(low, point, high), expected);
        }
    }

    #[test]
    fn counts_are_whole_and_say_which_side_lacks_them() {
        let mut change = CountedChange {
            name: "parse".to_owned(),
            metric: "instructions".to_owned(),
            base: Some(1_234_567.0),
            head: Some(1_296_295.0),
            state: CountedState::Regression,
        };
        let said = |change: &CountedChange| counts(change).replace(THIN, " ");
        assert_eq!(said(&change), "1 234 567 → 1 296 295 (5.0 % more)");
        change.base = None;
        assert_eq!(said(&change), "not in base → 1 296 295");
        (change.base, change.head) = (Some(2.0), Some(0.5));
        assert_eq!(said(&change), "2 → 0.500 (75 % fewer)");
    }
}
