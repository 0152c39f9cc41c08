//! Where servers spent their time: what was profiled behind the measurements, with links to the graphs.

use maud::{Markup, html};
use ringside_contract::{AttachedProfile, Profile, ProfileReport};

use crate::format::percent;
use crate::profile::NO_VERDICT;
use crate::view::breakable;

/// The section; nothing where nothing was profiled.
pub(crate) fn profiles(profiles: &[AttachedProfile]) -> Markup {
    html! {
        @if !profiles.is_empty() {
            section #profiles aria-labelledby="profiles-h" {
                h2 #profiles-h { "Where the time goes" }
                p.hint { (NO_VERDICT) " Each graph is a file that can be searched and zoomed; the page beside it says what the profilers cost." }
                div.card { div.scroll { table.words {
                    thead { tr { th { "implementation" } th { "scenario" } th { "graphs" } } }
                    tbody { @for one in profiles { (row(one)) } }
                } } }
            }
        }
    }
}

fn row(one: &AttachedProfile) -> Markup {
    let AttachedProfile { folder, report } = one;
    html! {
        tr {
            th scope="row" { @for subject in &report.subjects { (breakable(&subject.name)) } }
            td { (breakable(&report.scenario.to_string())) }
            td {
                @for profile in &report.profiles { div { (mostly(folder, profile)) } }
                div { a href={ (folder) "/index.html" } { "the profile of " (names(report)) } }
            }
        }
    }
}

/// `on-processor: write has most, 41 %`, with a link to the graph. All waiting ends in the scheduler, so that only the graph
/// says of it what for.
fn mostly(folder: &str, profile: &Profile) -> Markup {
    html! {
        @match &profile.graph {
            Some(graph) => a href={ (folder) "/" (graph) } { (profile.profiler) },
            None => (profile.profiler),
        }
        @if let Some(first) = profile.figures.first() && profile.unit == "samples" {
            ": " code { (breakable(&first.name)) } " has most, " (percent(first.value))
        }
    }
}

fn names(report: &ProfileReport) -> String {
    let names: Vec<&str> = report.subjects.iter().map(|one| &*one.name).collect();
    names.join(", ")
}
