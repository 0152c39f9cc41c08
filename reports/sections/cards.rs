//! Cards that the pages of a gate and of a profile share: the machine, a build, warnings.

use maud::{Markup, html};
use ringside_contract::{Build, Host, Placement};

use super::machine_words;
use crate::view::with_code;

/// What is known of a build, as terms of a list.
pub(crate) fn build_facts(build: &Build) -> Markup {
    html! {
        @for (word, value) in [
            ("commit", &build.commit),
            ("compiler", &build.rustc),
            ("flags", &build.flags),
            ("profile", &build.profile),
            ("target", &build.target),
            ("binary", &build.binary),
        ] {
            dt { (word) }
            dd { @if value.is_empty() { "not known" } @else { code { (value) } } }
        }
    }
}

/// The machine, and who ran where.
pub(crate) fn machine_card(host: &Host, placement: &Placement) -> Markup {
    html! {
        section #machine aria-labelledby="machine-h" {
            h2 #machine-h { "Machine" }
            div.card {
                dl.facts {
                    dt { "processor" } dd { (host.processor) }
                    dt { "machine" } dd { (machine_words(host)) }
                    dt { "kernel" } dd { (host.kernel) ", " (host.arch) }
                    dt { "servers on" } dd { (cores(&placement.server_cpus)) }
                    dt { "generator on" } dd { (cores(&placement.generator_cpus)) }
                }
                @if placement.shared { p.why { "Servers and generator had to share a core: treat rates with care." } }
            }
        }
    }
}

fn cores(cpus: &[usize]) -> String {
    let numbers: Vec<String> = cpus.iter().map(usize::to_string).collect();
    match cpus.len() {
        0 => "no core of their own".to_owned(),
        1 => format!("core {}", numbers[0]),
        _ => format!("cores {}", numbers.join(", ")),
    }
}

/// What a reader should know besides.
pub(crate) fn warning_list(warnings: &[String]) -> Markup {
    html! {
        @if !warnings.is_empty() {
            section #warnings aria-labelledby="warnings-h" {
                h2 #warnings-h { "Warnings" }
                ul.card.checks { @for warning in warnings {
                    li.warn { span.sign aria-hidden="true" { "!" } span { (with_code(warning)) } }
                } }
            }
        }
    }
}
