//! The gate as one HTML file, in the look of [`crate::page()`].

use maud::{DOCTYPE, Markup, html};
use ringside_contract::{CountedChange, CountedState, GateReport, GateSide};

use super::table::title;
use super::words::{closed, counted_look, counts, headline, verdict_look};
use crate::format::{counted, date, grouped};
use crate::page::head;
use crate::printable::printable;
use crate::sections;
use crate::view::{breakable, with_code};

/// A gate as one HTML file; links to flame graphs lead to files beside it. Pure: equal reports give equal
/// bytes.
pub fn gate_page(report: &GateReport) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title(report), include_str!("gate.css")))
            body {
                a.skip href="#main" { "To what changed" }
                (top(report))
                (navigation(report))
                main #main {
                    (sections::changes(&report.rows))
                    (counted_figures(&report.counted))
                    (builds(report))
                    (sections::machine_card(&report.host, &report.placement))
                    (sections::warning_list(&report.warnings))
                }
                footer { p.hint { "One file, no network. Readable without scripts." } }
            }
        }
    };
    printable(&markup.into_string()).into_owned()
}

fn top(report: &GateReport) -> Markup {
    html! {
        header {
            div.top {
                h1 { "Is head slower than base?" }
                (sections::theme_switch())
            }
            p.meta {
                span { "base " code { (report.base.name) } }
                span { "head " code { (report.head.name) } }
                span { (date(report.began_at)) }
                span { (counted(report.rows.len(), "comparison", "comparisons")) }
            }
            p.lead { (with_code(&headline(report))) }
            section.strip.four aria-label="Verdicts in numbers" {
                (tile(report, "regression", "slower, in two measurements"))
                (tile(report, "pass", "not slower by the threshold or more"))
                (tile(report, "undecided", "measured, and it decides nothing"))
                (tile(report, "new", "nothing to compare with"))
            }
        }
    }
}

/// The count of one verdict; a count of 0 has no colour, so that colours say where to look.
fn tile(report: &GateReport, word: &str, about: &str) -> Markup {
    let looks = report.rows.iter().map(|row| verdict_look(&row.verdict));
    let looks: Vec<_> = looks.filter(|look| look.2 == word).collect();
    let (class, sign, _) = looks.first().copied().unwrap_or(("plain", "", ""));
    html! {
        div.tile.(class) {
            p.count { b { (grouped(looks.len() as u64)) } " " span aria-hidden="true" { (sign) } " " (word) }
            p.about { (about) }
        }
    }
}

fn navigation(report: &GateReport) -> Markup {
    html! {
        nav aria-label="Sections" {
            a href="#changes" { "What changed" }
            @if !report.counted.is_empty() { a href="#counted" { "Counted figures" } }
            a href="#builds" { "Builds" }
            a href="#machine" { "Machine" }
            @if !report.warnings.is_empty() { a href="#warnings" { "Warnings" } }
        }
    }
}

fn counted_figures(all: &[CountedChange]) -> Markup {
    let (same, changed): (Vec<_>, Vec<_>) =
        all.iter().partition(|one| one.state == CountedState::Same);
    html! {
        @if !all.is_empty() {
            section #counted aria-labelledby="counted-h" {
                h2 #counted-h { "Counted figures" }
                p.hint { "Counted, not timed. Counts of a pure function are exact; others vary a little, and only warn." }
                div.card {
                    @if changed.is_empty() { p { "All are within the threshold." } }
                    ul.plain-list { @for change in changed { (counted_item(change)) } }
                    @if !same.is_empty() {
                        details {
                            summary { (counted(same.len(), "figure", "figures")) " within the threshold" }
                            ul.plain-list { @for change in same { (counted_item(change)) } }
                        }
                    }
                }
            }
        }
    }
}

fn counted_item(change: &CountedChange) -> Markup {
    let (class, sign, word) = counted_look(&change.state);
    html! {
        li {
            span.chip.(class) { span aria-hidden="true" { (sign) " " } (word) }
            " " b { (breakable(&change.name)) } ", " (change.metric) ": " (counts(change))
            @if let CountedState::NotCounted { because } = &change.state { p.hint { (with_code(&closed(because))) } }
        }
    }
}

fn builds(report: &GateReport) -> Markup {
    html! {
        section #builds aria-labelledby="builds-h" {
            h2 #builds-h { "Builds" }
            div.two {
                (side("Base", &report.base))
                (side("Head", &report.head))
            }
            div.card {
                h3 { "How they differ besides their source" }
                @if report.differences.is_empty() {
                    p { "In nothing that is known." }
                } @else {
                    ul.brief { @for difference in &report.differences { li { (with_code(difference)) } } }
                }
            }
        }
    }
}

fn side(heading: &str, side: &GateSide) -> Markup {
    let build = &side.build;
    html! {
        div.card {
            h3 { (heading) }
            dl.facts {
                dt { "named" } dd { code { (side.name) } }
                (sections::build_facts(build))
            }
        }
    }
}
