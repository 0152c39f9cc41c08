//! Which implementation to choose: for each family a matrix of scenarios and implementations.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use ringside_contract::{ImplementationSpec, Mark, RankedCell, Ranking, Verdicts};

use crate::format::{THIN, figure, quantity, times};
use crate::view::{
    anchor, breakable, grouped_by, leaders, metric_words, scenario_parts, short, too_few_rounds,
};

/// The matrices of all families.
pub(crate) fn choose(verdicts: &Verdicts) -> Markup {
    let families = grouped_by(verdicts.rankings.iter(), |ranking| {
        ranking.scenario.id.family.as_str()
    });
    html! {
        section #choose aria-labelledby="choose-h" {
            h2 #choose-h { "Which implementation to choose" }
            @if families.is_empty() {
                p.card.hint { "Nothing was ranked: no scenario has two usable cells." }
            } @else {
                p.hint {
                    "Times as good as the best of the row, by the scenario's own measure; 1.00× is the best, 0.50× half as good. "
                    b { "★" } " best, " b { "≈" } " level with it: the whole interval of the ratio lies within 5 % of 1, " b { "?" } " its own figure, not told apart from the best because the interval is too wide or the rounds too few. Hatched: measured, not to be used. The floor is a limit, not a choice."
                }
            }
            @for (family, rankings) in &families { (family_card(family, rankings)) }
        }
    }
}

fn family_card(family: &str, rankings: &[&Ranking]) -> Markup {
    let columns = Columns::of(rankings);
    let mut notes = Notes::default();
    let engines = matrix(
        family,
        rankings,
        &columns.engines,
        &columns.floors,
        &mut notes,
    );
    html! {
        div.card {
            h3 { (family) @if let Some(metric) = common_metric(rankings) { " " small.hint { "by " (metric_words(metric)) } } }
            (engines)
            @if !columns.variants.is_empty() { (variants(family, rankings, &columns.variants, &mut notes)) }
            (notes.list())
        }
    }
}

/// The implementations of a family, sorted into the parts of its card.
struct Columns<'a> {
    /// Engines as they are.
    engines: Vec<&'a ImplementationSpec>,
    /// Engines with an axis changed.
    variants: Vec<&'a ImplementationSpec>,
    /// Limits.
    floors: Vec<&'a ImplementationSpec>,
}

impl<'a> Columns<'a> {
    fn of(rankings: &[&'a Ranking]) -> Self {
        let cells = || rankings.iter().flat_map(|ranking| ranking.cells.iter());
        let floors: BTreeSet<&ImplementationSpec> = cells()
            .filter(|cell| {
                matches!(cell.mark, Mark::Floor) || cell.implementation.id.name == "floor"
            })
            .map(|cell| &cell.implementation)
            .collect();
        let mut seen = BTreeSet::new();
        let all: Vec<_> = cells()
            .map(|cell| &cell.implementation)
            .filter(|name| seen.insert(*name))
            .collect();
        let part = |wanted: fn(&ImplementationSpec) -> bool| {
            all.iter()
                .copied()
                .filter(|name| !floors.contains(name) && wanted(name))
                .collect()
        };
        Self {
            engines: part(|name| name.axes.is_empty()),
            variants: part(|name| !name.axes.is_empty()),
            floors: all
                .iter()
                .copied()
                .filter(|name| floors.contains(name))
                .collect(),
        }
    }
}

/// Scenarios down, engines across, who leads in the second column, floors at the end.
fn matrix(
    family: &str,
    rankings: &[&Ranking],
    engines: &[&ImplementationSpec],
    floors: &[&ImplementationSpec],
    notes: &mut Notes,
) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Engines of " (family) } {
            table.matrix {
                thead { tr {
                    th scope="col" { "scenario" }
                    th.pick scope="col" { "choose" }
                    @for engine in engines { th scope="col" { (short(engine)) } }
                    @for floor in floors { th.floor scope="col" { (short(floor)) } }
                } }
                tbody { @for ranking in rankings {
                    @let cells = by_name(ranking);
                    tr {
                        th scope="row" {
                            (scenario_name(ranking, true))
                            @if common_metric(rankings).is_none() { small { "by " (metric_words(&ranking.metric)) } }
                        }
                        td.pick { (lead(ranking)) }
                        @for engine in engines { (cell(cells.get(engine).copied(), ranking, notes)) }
                        @for floor in floors { (cell(cells.get(floor).copied(), ranking, notes)) }
                    }
                } }
            }
        }
    }
}

/// Implementations with a changed axis: many, so they go down and the scenarios across.
fn variants(
    family: &str,
    rankings: &[&Ranking],
    variants: &[&ImplementationSpec],
    notes: &mut Notes,
) -> Markup {
    let mut variants = variants.to_vec();
    variants.sort();
    let tables: Vec<_> = rankings
        .iter()
        .map(|ranking| (*ranking, by_name(ranking)))
        .collect();
    let shown: Vec<_> = tables
        .iter()
        .filter(|(_, cells)| variants.iter().any(|variant| cells.contains_key(variant)))
        .collect();
    html! {
        h4 { "With an axis changed" }
        div.scroll tabindex="0" role="region" aria-label={ "Implementations of " (family) " with an axis changed" } {
            table.matrix {
                thead { tr {
                    th scope="col" { "implementation" }
                    @for (ranking, _) in &shown { th scope="col" { (scenario_name(ranking, false)) } }
                } }
                tbody { @for variant in &variants { tr {
                    th scope="row" { (short(variant)) }
                    @for (ranking, cells) in &shown { (cell(cells.get(variant).copied(), ranking, notes)) }
                } } }
            }
        }
    }
}

fn by_name(ranking: &Ranking) -> BTreeMap<&ImplementationSpec, &RankedCell> {
    ranking
        .cells
        .iter()
        .map(|cell| (&cell.implementation, cell))
        .collect()
}

/// The answer: who is best, with the figure, and who is level.
fn lead(ranking: &Ranking) -> Markup {
    html! {
        @match leaders(ranking) {
            Some(leaders) => {
                b { "★ " (short(&leaders.first.implementation)) }
                @if let Some(interval) = &leaders.first.figure {
                    small { (quantity(interval.point, &ranking.unit)) }
                }
                @if !leaders.level.is_empty() {
                    small {
                        "≈ "
                        @for (index, cell) in leaders.level.iter().take(3).enumerate() {
                            @if index > 0 { ", " }
                            (short(&cell.implementation))
                        }
                        @if leaders.level.len() > 3 { " and " (leaders.level.len() - 3) " more" }
                    }
                }
            }
            None if too_few_rounds(ranking).is_some() => { span.na { "too few rounds to rank" } }
            None => { span.na { "none usable" } }
        }
    }
}

fn cell(cell: Option<&RankedCell>, ranking: &Ranking, notes: &mut Notes) -> Markup {
    let Some(cell) = cell else {
        return html! { td.none { span aria-hidden="true" { "–" } span.sr { "not in the plan" } } };
    };
    match &cell.mark {
        Mark::Invalid { because } => html! { td.invalid { "invalid" (notes.mark(because)) } },
        Mark::Unsupported { reason } => html! { td.na { "n/a" (notes.mark(reason)) } },
        Mark::Best => html! { td.best { "★" (THIN) (relative(cell, ranking)) } },
        Mark::Level => html! { td.level { "≈" (THIN) (relative(cell, ranking)) } },
        Mark::Undecided { because } => {
            html! { td.unranked { "?" (THIN) (own_figure(cell, ranking)) (notes.mark(because)) } }
        }
        Mark::Floor => html! { td.floor { (relative(cell, ranking)) } },
        Mark::Behind => html! { td class=(distance(cell)) { (relative(cell, ranking)) } },
    }
}

/// The metric, when all scenarios of a family are ranked by one.
fn common_metric<'a>(rankings: &[&'a Ranking]) -> Option<&'a str> {
    let first = rankings.first()?.metric.as_str();
    rankings
        .iter()
        .all(|ranking| ranking.metric == first)
        .then_some(first)
}

/// How good relative to the best, with the interval; the plain figure where there is no pair.
fn relative(cell: &RankedCell, ranking: &Ranking) -> Markup {
    let best = matches!(cell.mark, Mark::Best);
    let own = || {
        cell.figure
            .as_ref()
            .map(|own| figure(own, &ranking.unit))
            .map(|f| (f.point, f.range))
    };
    html! {
        @match cell.relative.as_ref().map(times).or_else(own) {
            Some((point, range)) => { (point) @if !best { small { (range) } } }
            None => { "–" }
        }
    }
}

/// The plain figure, for a cell that no comparison with the best says anything of.
fn own_figure(cell: &RankedCell, ranking: &Ranking) -> Markup {
    html! {
        @match &cell.figure {
            Some(own) => (quantity(own.point, &ranking.unit)),
            None => { "–" }
        }
    }
}

/// The class of a cell behind the best: colours change at 0.8 and 0.5.
fn distance(cell: &RankedCell) -> &'static str {
    match cell.relative.map(|relative| relative.point) {
        Some(point) if point >= 0.8 => "near",
        Some(point) if point >= 0.5 => "far",
        Some(_) => "worst",
        None => "near",
    }
}

/// The scenario's name below its family's heading, its parameters on a line of their own.
fn scenario_name(ranking: &Ranking, linked: bool) -> Markup {
    let (name, params) = scenario_parts(&ranking.scenario);
    html! {
        @if linked {
            a href={ "#" (anchor("s", &ranking.scenario.to_string())) } { (breakable(name)) }
        } @else {
            (breakable(name))
        }
        @if !params.is_empty() { small { (breakable(&params)) } }
    }
}

/// Reasons behind hatched and missing cells, each numbered once.
#[derive(Default)]
struct Notes {
    reasons: Vec<String>,
}

impl Notes {
    fn mark(&mut self, reason: &str) -> Markup {
        let place = self
            .reasons
            .iter()
            .position(|known| known == reason)
            .unwrap_or_else(|| {
                self.reasons.push(reason.to_owned());
                self.reasons.len() - 1
            });
        html! { sup title=(reason) { (place + 1) } }
    }

    fn list(&self) -> Markup {
        html! {
            @if !self.reasons.is_empty() {
                ol.notes { @for reason in &self.reasons { li { (reason) } } }
            }
        }
    }
}
