//! Can I trust this run: checks, an implementation against itself, what limited each cell.

use std::collections::BTreeMap;

use maud::{Markup, html};
use ringside_contract::{
    CellSummary, Check, CheckState, Limit, MetricSummary, SelfControl, Verdicts,
};

use crate::chart::around_one;
use crate::format::{THIN, counted, percent, quantity, times_finely};
use crate::view::{breakable, limit_word, metric_words, with_code};

/// Trials of 100 in which an interval has to hold 1, as the checks ask for too.
const COVERAGE_MIN: f64 = 93.0;

/// The section.
pub(crate) fn trust(verdicts: &Verdicts) -> Markup {
    html! {
        section #trust aria-labelledby="trust-h" {
            h2 #trust-h { "Can I trust this run?" }
            (checks(verdicts))
            (controls(&verdicts.controls))
            (limits(&verdicts.cells))
            (late(&verdicts.cells))
        }
    }
}

fn checks(verdicts: &Verdicts) -> Markup {
    html! {
        @if verdicts.trust.is_empty() {
            p.card.hint { "No checks were recorded: treat every figure with care." }
        } @else {
            ul.card.checks {
                @for check in warnings_first(&verdicts.trust) {
                    @match check.state {
                        CheckState::Ok => li.ok { span.sign aria-hidden="true" { "✓" } span { span.sr { "In order: " } (with_code(&check.sentence)) } },
                        CheckState::Warning => li.warn { span.sign aria-hidden="true" { "!" } span { span.sr { "Warning: " } (with_code(&check.sentence)) } },
                    }
                }
            }
        }
    }
}

/// The checks, those that warn in front.
fn warnings_first(checks: &[Check]) -> Vec<&Check> {
    let mut checks: Vec<&Check> = checks.iter().collect();
    checks.sort_by_key(|check| check.state == CheckState::Ok);
    checks
}

fn controls(controls: &[SelfControl]) -> Markup {
    html! {
        div.card {
            h3 { "An implementation against itself" }
            @if controls.is_empty() {
                p.hint { "Not in this plan: how far two equal things seem apart is not known for this run." }
            } @else {
                p.hint { "Two copies of one implementation, measured like two different ones. The interval should hold 1 (the line); its width is what this run can tell apart. The shade is ±2 %." }
                ul.controls { @for control in controls { (control_item(control)) } }
            }
        }
    }
}

fn control_item(control: &SelfControl) -> Markup {
    let ratio = &control.ratio;
    let rarely = control.coverage.is_some_and(|held| held < COVERAGE_MIN);
    let (class, word) = match (control.holds_one(), rarely) {
        (false, _) => ("missed", "does not hold 1"),
        (true, true) => ("undecided", "holds 1, too rarely"),
        (true, false) => ("met", "holds 1"),
    };
    html! {
        li {
            div {
                b { (breakable(&control.implementation.to_string())) } " in " (breakable(&control.scenario.to_string())) ", " (metric_words(&control.metric))
            }
            (around_one(ratio))
            div {
                span.chip.(class) { (word) } " "
                (times_finely(ratio)) ", " (percent(control.width())) " wide, "
                (counted(ratio.samples as usize, "process pair", "process pairs"))
                @if let Some(coverage) = control.coverage { "; resampled 8 pairs at a time, it holds 1 in " (format!("{coverage:.1}")) " of 100 trials" }
                @if let Some(doubt) = &control.doubt { "; " (doubt) }
            }
        }
    }
}

fn limits(cells: &[CellSummary]) -> Markup {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in cells {
        *counts.entry(limit_word(cell.limited_by)).or_default() += 1;
    }
    let by_generator: Vec<_> = cells
        .iter()
        .filter(|cell| cell.limited_by == Some(Limit::Generator))
        .collect();
    html! {
        @if !cells.is_empty() {
            div.card {
                h3 { "What limited the cells" }
                dl.facts {
                    @for (word, about) in [
                        ("server", "the server used 90 % or more of its cores: rates are its capacity"),
                        ("generator", "the generator was busy first: no verdict on rate from a closed loop"),
                        ("neither", "the offered rate, or waiting"),
                        ("unknown", "processor time was not recorded"),
                    ] {
                        @if let Some(count) = counts.get(word) {
                            dt { (counted(*count, "cell", "cells")) }
                            dd { b { (word) } ": " (about) }
                        }
                    }
                }
                @if !by_generator.is_empty() { details {
                    summary { "Cells limited by the generator" }
                    ul.brief { @for cell in by_generator { li { (cell_name(cell)) } } }
                } }
            }
        }
    }
}

/// Late sends of every open loop, the worst first.
fn late(cells: &[CellSummary]) -> Markup {
    let mut late: Vec<(&MetricSummary, &CellSummary)> = cells
        .iter()
        .filter_map(|cell| Some((cell.metrics.get("late_share")?, cell)))
        .filter(|(share, _)| share.interval.point > 0.0)
        .collect();
    late.sort_by(|left, right| right.0.interval.point.total_cmp(&left.0.interval.point));
    html! {
        @if !late.is_empty() {
            div.card {
                h3 { "Late sends" }
                p.hint {
                    "Operations that the generator started more than 1" (THIN) "ms late; over 1" (THIN)
                    "% the cell does not decide. The ten worst."
                }
                ul.brief { @for (share, cell) in late.into_iter().take(10) {
                    li { b { (quantity(share.interval.point, &share.unit)) } " " (cell_name(cell)) }
                } }
            }
        }
    }
}

fn cell_name(cell: &CellSummary) -> Markup {
    html! { (breakable(&cell.implementation.to_string())) " in " (breakable(&cell.scenario.to_string())) }
}
