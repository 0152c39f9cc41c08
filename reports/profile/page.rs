//! A profile as one HTML file, in the look of [`crate::page()`]: the graphs are in it as images. The files beside it
//! can be zoomed and searched.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, html};
use ringside_contract::{Profile, ProfileDifference, ProfileReport, ProfiledSubject};

use super::words::{NO_VERDICT, heads, side, slowdown_words, title, value};
use crate::format::{counted, date, grouped, percent};
use crate::page::head;
use crate::printable::printable;
use crate::sections;
use crate::view::{breakable, with_code};

/// The graphs, by the names that the report has for their files.
type Images<'a> = BTreeMap<&'a str, &'a str>;

/// A profile as one HTML file. `images` are the SVG files that the report names, by name. Pure: equal reports and
/// images give equal bytes.
pub fn profile_page(report: &ProfileReport, images: &[(String, String)]) -> String {
    let images: Images<'_> = images
        .iter()
        .map(|(name, svg)| (name.as_str(), svg.as_str()))
        .collect();
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title(report), include_str!("profile.css")))
            body {
                a.skip href="#main" { "To the profiles" }
                (top(report))
                main #main {
                    @for difference in &report.differences { (change(report, difference, &images)) }
                    @for profile in &report.profiles { (one(report, profile, &images)) }
                    (profilers(report))
                    (subjects(report))
                    (sections::machine_card(&report.host, &report.placement))
                    (sections::warning_list(&report.warnings))
                }
                footer { p.hint { "One file, no network, no scripts. The graphs open as files of their own, in which functions can be searched and zoomed." } }
            }
        }
    };
    printable(&markup.into_string()).into_owned()
}

fn top(report: &ProfileReport) -> Markup {
    html! {
        header {
            div.top {
                h1 { (breakable(&title(report))) }
                (sections::theme_switch())
            }
            p.meta {
                span { "scenario " code { (report.scenario) } }
                span { (date(report.began_at)) }
                span { "each profiler " (report.seconds) " s" }
                span { (counted(report.profiles.len(), "profile", "profiles")) }
            }
            p.lead { (NO_VERDICT) }
        }
    }
}

fn one(report: &ProfileReport, profile: &Profile, images: &Images<'_>) -> Markup {
    let name = subject(report, profile.subject);
    html! {
        section {
            h2 { (profile.profiler) " of " (breakable(name)) }
            div.card {
                p { (grouped(profile.total)) " " (profile.unit) ". "
                    @if let Some(slowdown) = &profile.slowdown { "The profiler " (slowdown_words(slowdown, report.side)) "." } }
                @for remark in &profile.remarks { p.why { (with_code(remark)) } }
                @if let Some(graph) = &profile.graph { (image(graph, &format!("Flame graph, {} of {name}", profile.profiler), images)) }
                @if let Some(folded) = &profile.folded { p.hint { a href=(folded) { "Folded stacks" } ", for other tools." } }
                @if !profile.figures.is_empty() {
                    div.scroll { table {
                        thead { tr { @for head in heads(profile) { th { (head) } } } }
                        tbody { @for figure in &profile.figures { tr { th scope="row" { (breakable(&figure.name)) } td { (value(figure)) } } } }
                    } }
                }
            }
        }
    }
}

fn change(report: &ProfileReport, difference: &ProfileDifference, images: &Images<'_>) -> Markup {
    let (before, after) = (subject(report, 1), subject(report, 0));
    html! {
        section {
            h2 { "What changed from " (breakable(before)) " to " (breakable(after)) ", " (difference.profiler) }
            div.card {
                p { "Red has grown, blue has shrunk, as shares of the whole. The first graph has the widths of " (breakable(after))
                    ", the second one those of " (breakable(before)) ": what vanished is seen there only." }
                (image(&difference.graph_after, &format!("From {before} to {after}, widths of {after}"), images))
                (image(&difference.graph_before, &format!("From {before} to {after}, widths of {before}"), images))
                div.scroll { table {
                    thead { tr { th { "function, without what it calls" } th { "before" } th { "after" } } }
                    tbody { @for change in &difference.changes { tr {
                        th scope="row" { (breakable(&change.function)) } td { (percent(change.before)) } td { (percent(change.after)) }
                    } } }
                } }
            }
        }
    }
}

/// A graph: wide on a narrow screen, where it is scrolled.
fn image(file: &str, about: &str, images: &Images<'_>) -> Markup {
    html! {
        figure.graph {
            @if let Some(svg) = images.get(file) {
                div.scroll tabindex="0" role="region" aria-label=(about) {
                    img alt=(about) src={ "data:image/svg+xml;base64," (STANDARD.encode(svg)) };
                }
            }
            figcaption { a href=(file) { (file) } ": " (about) }
        }
    }
}

fn profilers(report: &ProfileReport) -> Markup {
    html! {
        section #profilers aria-labelledby="profilers-h" {
            h2 #profilers-h { "Profilers" }
            div.card { div.scroll { table.words {
                thead { tr { th { "profiler" } th { "purpose" } th { "what slows the " (side(report.side)) } th { "output" } } }
                tbody { @for about in &report.profilers {
                    tr { th scope="row" { (about.name) } td { (about.purpose) } td { (about.slowdown) } td { (about.output) } }
                } }
            } } }
        }
    }
}

fn subjects(report: &ProfileReport) -> Markup {
    html! {
        section #builds aria-labelledby="builds-h" {
            h2 #builds-h { "Builds" }
            div.two { @for one in &report.subjects { (build(one)) } }
        }
    }
}

fn build(subject: &ProfiledSubject) -> Markup {
    html! {
        div.card {
            h3 { (breakable(&subject.name)) }
            dl.facts {
                dt { "serves" } dd { code { (subject.implementation) } }
                (sections::build_facts(&subject.build))
            }
        }
    }
}

fn subject(report: &ProfileReport, index: usize) -> &str {
    report.subjects.get(index).map_or("", |one| &one.name)
}
