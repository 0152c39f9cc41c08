//! Sentences that page and terminal share.

use ringside_contract::{Profile, ProfileFigure, ProfileReport, ProfiledSide, ProfilerSlowdown};

use crate::format::percent;

/// What a profile is not.
pub(crate) const NO_VERDICT: &str = "A profiled run enters no verdict: it writes no record, and its figures are not compared with those of any run.";

/// What was profiled, as a title.
pub(super) fn title(report: &ProfileReport) -> String {
    let names: Vec<&str> = report
        .subjects
        .iter()
        .map(|subject| &*subject.name)
        .collect();
    let side = side(report.side);
    match names[..] {
        [after, before] => format!("Ringside profile: {side} of {after} against {before}"),
        _ => format!("Ringside profile: {side} of {}", names.join(", ")),
    }
}

/// Which process.
pub(super) const fn side(side: ProfiledSide) -> &'static str {
    match side {
        ProfiledSide::Server => "server",
        ProfiledSide::Generator => "generator",
    }
}

/// `slows the server by 2.1 %, and takes it 2.3 % more processor time for an operation`.
pub(super) fn slowdown_words(slowdown: &ProfilerSlowdown, of: ProfiledSide) -> String {
    let lost = slowdown.rate_lost;
    let mut words = if lost > 0.0 {
        format!("slows the {} by {}", side(of), percent(lost))
    } else {
        format!(
            "no slowdown seen (the load went {} faster with it)",
            percent(-lost)
        )
    };
    if let Some(grown) = slowdown.processor_time_grown {
        let more = if grown < 0.0 { "less" } else { "more" };
        let amount = percent(grown.abs());
        words.push_str(&format!(
            ", {amount} {more} processor time for an operation"
        ));
    }
    let pairs = slowdown.rates_bare_per_s.len();
    format!("{words}; median of {pairs} pairs of blocks without and with it")
}

/// Heads of a profile's table: functions, or what was counted.
pub(super) fn heads(profile: &Profile) -> [&'static str; 2] {
    if profile.graph.is_some() {
        ["function, without what it calls", "share"]
    } else {
        ["what was counted", "how often"]
    }
}

/// A figure with its unit.
pub(super) fn value(figure: &ProfileFigure) -> String {
    match figure.unit.as_str() {
        "share" => percent(figure.value),
        unit => crate::format::quantity(figure.value, unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rate_lost: f64, processor_time_grown: Option<f64>, expected: &str) {
        let slowdown = ProfilerSlowdown {
            rates_bare_per_s: vec![1.0; 3],
            rates_attached_per_s: vec![1.0; 3],
            rate_lost,
            processor_time_grown,
        };
        let words = slowdown_words(&slowdown, ProfiledSide::Server).replace('\u{202f}', " ");
        assert!(words.starts_with(expected), "{words}");
        assert!(words.contains("3 pairs"), "{words}");
    }

    #[test]
    fn a_slowdown_is_told_as_it_was_measured() {
        check(0.021, None, "slows the server by 2.1 %;");
        check(
            0.021,
            Some(0.031),
            "slows the server by 2.1 %, 3.1 % more processor time",
        );
        check(
            -0.004,
            Some(-0.01),
            "no slowdown seen (the load went 0.4 % faster with it), 1.0 % less",
        );
    }
}
