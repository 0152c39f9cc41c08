//! How to repeat the run: commands, machine, build, settings; what was left out; where the raw data lie.

use maud::{Markup, html};
use ringside_contract::{RunSummary, UringSupport, Verdicts};

use super::machine_words;
use crate::format::{date, grouped, quantity};
use crate::view::{breakable, grouped_by, with_code};

/// The section.
pub(crate) fn repeat(verdicts: &Verdicts) -> Markup {
    let run = &verdicts.run;
    html! {
        section #repeat aria-labelledby="repeat-h" {
            h2 #repeat-h { "How to repeat it" }
            div.card {
                h3 { "Commands" }
                @if run.repeat.is_empty() { p.hint { "No command was recorded." } } @else {
                    pre tabindex="0" { @for (index, command) in run.repeat.iter().enumerate() { @if index > 0 { "\n" } (command) } }
                }
                p.hint { "With this run, where its folder is:" }
                pre tabindex="0" {
                    "ringside judge " (folder(run)) "\n"
                    "ringside report " (folder(run)) "\n"
                    "ringside compare " (folder(run)) " reports/runs/OTHER"
                }
                p.hint {
                    "Beside this page lie the plan (plan.json), every block (records.jsonl, one JSON object a line, histograms included, so that they can be merged) and the judged figures (verdicts.json). "
                    "The page follows from the verdicts, and from the profiles that may lie beside them: the same ones give the same bytes."
                }
            }
            div.two {
                div.card { h3 { "Machine" } (machine(run)) }
                div.card { h3 { "Build and run" } (build(run)) }
            }
            (settings(run))
            (skipped(verdicts))
        }
    }
}

/// Where a run lies unless it was moved.
fn folder(run: &RunSummary) -> String {
    format!("reports/runs/{}", run.run)
}

fn machine(run: &RunSummary) -> Markup {
    let host = &run.host;
    facts(&[
        ("in short", machine_words(host)),
        ("processor", host.processor.clone()),
        ("processors used", list(&host.cpus)),
        ("memory", quantity(host.memory_bytes as f64, "B")),
        ("NUMA nodes", host.numa_nodes.to_string()),
        (
            "kernel",
            format!("{} {} ({})", host.os, host.kernel, host.arch),
        ),
        ("virtualisation", host.virtualisation.clone()),
        ("instruction sets", host.cpu_features.join(" ")),
        ("hardware counters", yes_no(host.hardware_counters)),
        ("open files at most", grouped(host.open_files_max)),
        (
            "io_uring",
            match &host.uring {
                UringSupport::Available { features } => {
                    format!("available, {} features", features.len())
                }
                UringSupport::Refused { reason } => format!("refused: {reason}"),
            },
        ),
        (
            "system calls",
            match &host.syscall_counting_refused {
                Some(reason) => format!("not counted: {reason}"),
                None => "counted".to_owned(),
            },
        ),
    ])
}

fn build(run: &RunSummary) -> Markup {
    let build = &run.build;
    facts(&[
        ("commit", build.commit.clone()),
        ("compiler", build.rustc.clone()),
        ("flags", build.flags.clone()),
        ("profile", build.profile.clone()),
        ("target", build.target.clone()),
        ("binary", build.binary.clone()),
        ("began", date(run.began_at)),
        ("last block began", date(run.ended_at)),
        ("seed", run.seed.to_string()),
        ("server on", list(&run.placement.server_cpus)),
        ("generator on", list(&run.placement.generator_cpus)),
        ("a core shared", yes_no(run.placement.shared)),
        ("root", yes_no(run.host.root)),
    ])
}

fn settings(run: &RunSummary) -> Markup {
    let aligned: Vec<(&str, &str)> = run.aligned.iter().collect();
    let sysctls: Vec<(&str, &str)> = run
        .host
        .sysctls
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    html! {
        @for (title, pairs) in [("Asked of every server alike", aligned), ("Kernel settings", sysctls)] {
            @if !pairs.is_empty() {
                details.card {
                    summary { h3 { (title) } }
                    div.scroll tabindex="0" role="region" aria-label=(title) { table.pairs { tbody {
                        @for (name, value) in pairs { tr { th scope="row" { code { (breakable(name)) } } td { code { (value) } } } }
                    } } }
                }
            }
        }
    }
}

fn skipped(verdicts: &Verdicts) -> Markup {
    html! {
        @if !verdicts.skipped.is_empty() {
            details.card {
                summary { h3 { "Cells that were not measured (" (verdicts.skipped.len()) ")" } }
                @for (reason, cells) in grouped_by(verdicts.skipped.iter(), |skipped| skipped.reason.as_str()) {
                    p.why { (with_code(reason)) }
                    ul.brief { @for skipped in cells { li { code { (breakable(&skipped.cell)) } } } }
                }
            }
        }
    }
}

fn facts(facts: &[(&str, String)]) -> Markup {
    html! {
        dl.facts { @for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            dt { (name) } dd { (value) }
        } }
    }
}

fn list(cpus: &[usize]) -> String {
    if cpus.is_empty() {
        return "not pinned".to_owned();
    }
    let numbers: Vec<String> = cpus.iter().map(ToString::to_string).collect();
    format!("processor {}", numbers.join(", "))
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
