//! What changed from base to head: a card for each comparison, with its figures in words and drawn.

use maud::{Markup, html};
use ringside_contract::{GateRow, GateVerdict, MetricChange};

use crate::chart::SlowdownAxis;
use crate::format::{certainty, span};
use crate::gate::words::{closed, medians, metric_words, slowdown, threshold, verdict_look};
use crate::view::{breakable, with_code};

/// The section.
pub(crate) fn changes(rows: &[GateRow]) -> Markup {
    let axis = SlowdownAxis::of(rows.iter().flat_map(|row| {
        let measured = row.changes.iter().chain(&row.confirming);
        measured.map(|change| (row.threshold, &change.slowdown))
    }));
    html! {
        section #changes aria-labelledby="changes-h" {
            h2 #changes-h { "What changed" }
            @if rows.is_empty() {
                p.card.hint { "Nothing was compared." }
            } @else {
                p.hint { "How much slower head is than base, in per cent, on one axis for all: the point is the median, the line its interval, the solid mark zero. The shade is what lies within the threshold, the dashed mark its slower end. An arrow goes on beyond the axis." }
                @for row in rows { (card(&axis, row)) }
            }
        }
    }
}

fn card(axis: &SlowdownAxis, row: &GateRow) -> Markup {
    let (class, sign, word) = verdict_look(&row.verdict);
    html! {
        div.card {
            h3 {
                span.chip.(class) { span aria-hidden="true" { (sign) " " } (word) }
                (breakable(&row.implementation.to_string())) " in " (breakable(&row.scenario.to_string()))
            }
            (reason(&row.verdict))
            @for change in &row.changes { (change_item(axis, row, change, "")) }
            @for change in &row.confirming { (change_item(axis, row, change, "second measurement: ")) }
            p.source {
                span { "threshold " (threshold(row)) }
                @if row.wall_s > 0.0 { span { "measured for " (span(row.wall_s.round() as u64)) } }
                (graphs(&row.graphs))
            }
        }
    }
}

fn reason(verdict: &GateVerdict) -> Markup {
    html! {
        @match verdict {
            GateVerdict::Undecided { because, remedy } => {
                p { (with_code(&closed(because))) }
                p { b { "What would decide it: " } (with_code(&closed(remedy))) }
            }
            GateVerdict::New { because } => p { "Nothing to compare with: " (with_code(&closed(because))) },
            GateVerdict::Regression | GateVerdict::Pass => {}
        }
    }
}

/// One figure. `which` says of which measurement it is, where that is not the first.
fn change_item(axis: &SlowdownAxis, row: &GateRow, change: &MetricChange, which: &str) -> Markup {
    // What does not decide has no colour of the verdict.
    let class = match change.left_out {
        Some(_) => "plain",
        None => verdict_look(&row.verdict).0,
    };
    html! {
        div.change {
            div {
                p { (which) (metric_words(&change.metric)) ": " b { (slowdown(&change.slowdown)) } }
                p.hint { (medians(change)) " (medians of base and head); " (certainty(&change.slowdown, "triple", "triples")) }
                @if let Some(because) = &change.left_out {
                    p.hint { b { "Left out of the decision: " } (with_code(&closed(because))) }
                }
            }
            @if let Some(drawn) = axis.draw(row.threshold, &change.slowdown, class) { (drawn) }
        }
    }
}

fn graphs(paths: &[String]) -> Markup {
    html! {
        @for path in paths {
            span {
                "flame graph of the difference: "
                @match relative_link(path) {
                    Some(link) => a href=(link) { (breakable(path)) },
                    None => code { (path) },
                }
            }
        }
    }
}

/// A link to a file beside the page; `None` for a path that leads elsewhere. All but plain letters is
/// encoded, so that no path is read as a scheme or a query.
fn relative_link(path: &str) -> Option<String> {
    let leads_away = |part: &str| part.is_empty() || part == "..";
    if path.split('/').any(leads_away) {
        return None;
    }
    let mut link = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.' | b'~') {
            link.push(char::from(byte));
        } else {
            link.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_beside_the_page_alone() {
        for (path, expected) in [
            ("graphs/a{b=1}.svg", Some("graphs/a%7Bb%3D1%7D.svg")),
            ("javascript:alert(1)", Some("javascript%3Aalert%281%29")),
            ("//example.org/x", None),
            ("/etc/passwd", None),
            ("a/../../b", None),
            ("", None),
        ] {
            assert_eq!(relative_link(path).as_deref(), expected, "{path}");
        }
    }
}
