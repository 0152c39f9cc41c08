//! Each scenario in full: who is ahead, the percentile curve, latency against offered rate, the table.

use maud::{Markup, html};
use ringside_contract::{CellSummary, Mark, RankedCell, Ranking, SweepPoint, Verdicts};

use super::table::full_tables;
use crate::chart::{Domain, End, held, key, percentile_curve, shared_row, sweep_curve};
use crate::format::{figure, percent, quantity};
use crate::lead::Lead;
use crate::view::{
    ScenarioView, anchor, breakable, grouped_by, metric_words, scenarios as views, short,
};
use crate::words::Wording;

/// Every scenario, in the order of the plan.
pub(crate) fn scenarios(verdicts: &Verdicts) -> Markup {
    let views = views(verdicts);
    let wording = Wording::of(verdicts);
    html! {
        section #scenarios aria-labelledby="scenarios-h" {
            h2 #scenarios-h { "Scenario by scenario" }
            @if views.is_empty() { p.card.hint { "No cell was measured." } }
            @if views.len() > 1 { (index(&views, &wording)) }
            @for (family, of_family) in grouped_by(views.iter(), |view| view.spec.id.family.as_str()) {
                @for view in &of_family { (scenario(view, &wording)) }
                @if of_family.iter().all(|view| view.cells.iter().all(|cell| cell.sweep.is_empty())) {
                    p.hint { "No curve of latency against offered rate of " (family) " is here: this plan has no sweep. " code { "ringside run --plan full" } " measures them." }
                }
            }
        }
    }
}

/// Links to every scenario, in words.
fn index(views: &[ScenarioView<'_>], wording: &Wording<'_>) -> Markup {
    html! {
        ul.index aria-label="Scenarios" { @for view in views { li {
            a href={ "#" (view.anchor()) } { (breakable(&view.spec.id.to_string())) }
            " " span.hint { (wording.words(view.spec)) }
        } } }
    }
}

fn scenario(view: &ScenarioView<'_>, wording: &Wording<'_>) -> Markup {
    let id = view.anchor();
    let load = view.cells.first().map_or("", |cell| cell.load.as_str());
    html! {
        article.card.scenario aria-labelledby=(id) {
            h3 id=(id) { (breakable(&view.spec.id.to_string())) " " small.hint { (wording.words(view.spec)) } }
            p.hint {
                @if view.spec.params.iter().next().is_some() { code { (breakable(&view.spec.to_string())) } " " }
                @if let Some(ranking) = view.ranking { (ranking.question) " " }
                (load_words(load))
            }
            @if let Some(series) = legend(view) { (series) }
            div.two {
                @if let Some(ranking) = view.ranking { (standing(view, ranking)) }
                (curve(view, load))
                (sweep(view))
            }
            @if view.cells.is_empty() {
                p.hint { "No cell of this scenario was measured." }
            } @else {
                (full_tables(view))
            }
            (troubles(view))
        }
    }
}

fn load_words(load: &str) -> &'static str {
    match load {
        "closed" => "Closed loop: capacity; its latency holds the time in the queue.",
        "open" => "Open loop: latency counts from the intended send time.",
        "sweep" => "Open loops at rising rates: latency counts from the intended send time.",
        _ => "",
    }
}

/// The series of the charts, each with a box that hides it (style sheets alone do that).
fn legend(view: &ScenarioView<'_>) -> Option<Markup> {
    let drawn: Vec<_> = view
        .cells
        .iter()
        .filter_map(|cell| Some((cell, *view.looks.get(&cell.implementation)?)))
        .collect();
    let left_out = view
        .cells
        .iter()
        .filter(|cell| !cell.curve.is_empty() || !cell.sweep.is_empty())
        .filter(|cell| !view.looks.contains_key(&cell.implementation))
        .count();
    if drawn.is_empty() {
        return None;
    }
    Some(html! {
        fieldset.legend {
            legend.sr { "Series of the charts" }
            @for (cell, look) in drawn {
                label { input type="checkbox" class={ "t" (look) } checked; (key(look)) (short(&cell.implementation)) }
            }
            @if left_out > 0 { span.hint { "and " (left_out) " more in the table" } }
        }
    })
}

/// The ranking with each figure on one axis.
fn standing(view: &ScenarioView<'_>, ranking: &Ranking) -> Markup {
    let lead = Lead::of(ranking);
    let domain = Domain::of(ranking.cells.iter().filter_map(|cell| cell.figure.as_ref()));
    let shown = ranking
        .cells
        .iter()
        .filter(|cell| !matches!(cell.mark, Mark::Unsupported { .. }));
    html! {
        div.standing {
            @match &lead {
                Lead::TooFewRounds(because) => { h4 { "By " (metric_words(&ranking.metric)) } p.hint { "Not ranked: " (because) "." } },
                Lead::Open(_) => { h4 { "By " (metric_words(&ranking.metric)) } p.hint { "No clear best: those with " b { "?" } " or " b { "≥" } " are not told apart from the first." } },
                Lead::Clear { .. } | Lead::Nothing => h4 { "Ranked by " (metric_words(&ranking.metric)) },
            }
            div.scroll tabindex="0" role="region" aria-label={ "Ranking in " (view.spec.to_string()) } {
                table.rank {
                    thead.sr { tr {
                        @for head in ["implementation", "bar", "median"] { th scope="col" { (head) } }
                    } }
                    tbody { @for cell in shown { (standing_row(cell, &lead, domain.as_ref(), &ranking.unit)) } }
                }
            }
        }
    }
}

fn standing_row(cell: &RankedCell, lead: &Lead<'_>, domain: Option<&Domain>, unit: &str) -> Markup {
    let (class, sign) = look(cell, lead);
    html! {
        tr class=(class) {
            th scope="row" { (sign) (short(&cell.implementation)) }
            td.draw {
                @if let (Some(domain), Some(own)) = (domain, &cell.figure) {
                    (shared_row(domain, own, class))
                }
            }
            td {
                @match &cell.figure {
                    Some(own) => {
                        @let figure = figure(own, unit);
                        (figure.point)
                        @if !figure.spread.is_empty() { small { (figure.spread) } }
                    }
                    None => { "–" }
                }
            }
        }
    }
}

/// The class and the sign of a row. The best figure has no star while another is not told apart from it.
fn look(cell: &RankedCell, lead: &Lead<'_>) -> (&'static str, &'static str) {
    match &cell.mark {
        Mark::Best if lead.is_best(&cell.implementation) => ("best", "★ "),
        Mark::Best | Mark::Behind if cell.bound => ("behind", "≥ "),
        Mark::Best | Mark::Behind => ("behind", ""),
        Mark::Level => ("level", "≈ "),
        Mark::Undecided { .. } if cell.bound => ("unranked", "≥ "),
        Mark::Undecided { .. } => ("unranked", "? "),
        Mark::Floor => ("floor", ""),
        Mark::Invalid { .. } => ("invalid", "invalid: "),
        Mark::Unsupported { .. } => ("na", ""),
    }
}

fn curve(view: &ScenarioView<'_>, load: &str) -> Markup {
    let series: Vec<_> = charted(view)
        .map(|(look, cell)| (look, cell.curve.as_slice()))
        .collect();
    let title = format!("Latency by percentile in {}", view.spec);
    let id = anchor("p", &view.spec.to_string());
    let caption = match load {
        "closed" => {
            "All rounds merged, the band from the lowest to the highest round; the table has medians of the rounds. In a closed loop this is mostly time in the queue."
        }
        _ => {
            "All rounds merged, the band from the lowest to the highest round; the table has medians of the rounds. Each step of the axis is one more nine."
        }
    };
    html! {
        @if let Some(chart) = percentile_curve(&id, &title, &series) {
            figure { h4 { "Latency by percentile" } (chart) figcaption { (caption) } }
        }
    }
}

fn sweep(view: &ScenarioView<'_>) -> Markup {
    let series: Vec<_> = charted(view)
        .filter(|(_, cell)| !cell.sweep.is_empty())
        .map(|(look, cell)| (look, cell.sweep.as_slice()))
        .collect();
    let title = format!("Latency against offered rate in {}", view.spec);
    let id = anchor("w", &view.spec.to_string());
    html! {
        @if let Some(chart) = sweep_curve(&id, &title, &series) {
            figure {
                h4 { "P99 as the load rises" }
                (chart)
                figcaption { "Ringed: the knee, the last rate of which 95 % completed. Pale: the generator could not offer the rate in time." }
            }
            div.steps {
                h4 { "Rate that was held" }
                ul.plain-list.knees { @for cell in view.cells.iter().filter(|cell| !cell.sweep.is_empty()) { (knee_item(cell)) } }
                (steps(view))
            }
        }
    }
}

fn knee_item(cell: &CellSummary) -> Markup {
    html! {
        li {
            b { (short(&cell.implementation)) } " "
            @match held(&cell.sweep) {
                Some((step, end)) => {
                    @if end != End::Knee { "at least " }
                    (quantity(step.offered_per_s, "/s"))
                    @match end {
                        End::Knee => {}
                        End::Generator => { " (the generator could offer no more)" }
                        End::Open => { " (no knee up to there)" }
                    }
                    ", P99 " (quantity(step.p99_us, "us"))
                }
                None => { "not even the first rate was held" }
            }
        }
    }
}

fn steps(view: &ScenarioView<'_>) -> Markup {
    html! {
        details {
            summary { "Every step in figures" }
            div.scroll tabindex="0" role="region" aria-label="Steps of the sweep" { table {
                thead { tr { @for head in ["implementation", "offered /s", "completed /s", "P50", "P99", "late sends"] { th scope="col" { (head) } } } }
                tbody { @for cell in &view.cells { @for step in &cell.sweep { (step_row(cell, step)) } } }
            } }
        }
    }
}

fn step_row(cell: &CellSummary, step: &SweepPoint) -> Markup {
    html! {
        tr {
            th scope="row" { (short(&cell.implementation)) }
            td { (quantity(step.offered_per_s, "")) }
            td { (quantity(step.achieved_per_s, "")) }
            td { (quantity(step.p50_us, "us")) }
            td { (quantity(step.p99_us, "us")) }
            td { (percent(step.late_share)) }
        }
    }
}

/// Failures, invalid cells and warnings of the scenario.
fn troubles(view: &ScenarioView<'_>) -> Markup {
    let troubled: Vec<_> = view
        .cells
        .iter()
        .filter(|cell| {
            cell.invalid.is_some()
                || cell.disturbed.is_some()
                || !cell.failures.is_empty()
                || !cell.warnings.is_empty()
        })
        .collect();
    // Where nothing can be used, the reasons are all there is to read.
    let nothing_usable = view.cells.iter().all(|cell| cell.invalid.is_some());
    html! {
        @if !troubled.is_empty() {
            details open[nothing_usable] {
                summary { "Notes on cells (" (troubled.len()) ")" }
                ul.brief { @for cell in troubled { li {
                    b { (short(&cell.implementation)) }
                    ul {
                        @if let Some(because) = &cell.invalid { li { "Invalid: " (because) } }
                        @if let Some(because) = &cell.disturbed { li { "Disturbed: " (because) } }
                        @for failure in &cell.failures { li { "Failed: " (failure) } }
                        @for warning in &cell.warnings { li { (warning) } }
                    }
                } } }
            }
        }
    }
}

fn charted<'v>(view: &'v ScenarioView<'_>) -> impl Iterator<Item = (usize, &'v CellSummary)> {
    view.cells
        .iter()
        .filter_map(|cell| Some((*view.looks.get(&cell.implementation)?, *cell)))
}
