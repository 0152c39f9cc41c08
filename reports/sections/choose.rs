//! Which implementation to choose: for each family a matrix of scenarios and implementations.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use ringside_contract::{ImplementationSpec, Mark, RankedCell, Ranking, Verdicts};

use crate::format::{THIN, figure, times};
use crate::lead::Lead;
use crate::view::{anchor, breakable, grouped_by, metric_words, own_words, short};
use crate::words::Wording;

/// The matrices of all families.
pub(crate) fn choose(verdicts: &Verdicts) -> Markup {
    let wording = Wording::of(verdicts);
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
                    "Times as good as the best figure of the column, by the scenario's own measure: 0.50× is half as good. "
                    b { "★" } " best, told apart from all others but those that are " b { "≈" } " level: the whole interval of the ratio lies within 5 % of 1. "
                    b { "?" } " not told apart: the interval is too wide or the rounds too few. " b { "≥" } " only a bound, since the server was not saturated or the generator was the limit: it may be better. Hatched: measured, not to be used. Floors, in italics, are a limit, not a choice."
                }
            }
            @for (family, rankings) in &families { (family_card(family, rankings, &wording)) }
        }
    }
}

fn family_card(family: &str, rankings: &[&Ranking], wording: &Wording<'_>) -> Markup {
    let mut notes = Notes::default();
    let table = matrix(family, rankings, wording, &mut notes);
    html! {
        div.card {
            h3 { (family) @if let Some(metric) = common_metric(rankings) { " " small.hint { "by " (metric_words(metric)) } } }
            (table)
            (notes.list())
        }
    }
}

/// The implementations of a family in the order of their rows: as they are, with an axis changed, floors.
fn rows<'a>(rankings: &[&'a Ranking]) -> Vec<(&'a ImplementationSpec, bool)> {
    let cells = || rankings.iter().flat_map(|ranking| ranking.cells.iter());
    let floors: BTreeSet<&ImplementationSpec> = cells()
        .filter(|cell| matches!(cell.mark, Mark::Floor) || cell.implementation.id.name == "floor")
        .map(|cell| &cell.implementation)
        .collect();
    let mut seen = BTreeSet::new();
    let mut rows: Vec<_> = cells()
        .map(|cell| &cell.implementation)
        .filter(|name| seen.insert(*name))
        .map(|name| (name, floors.contains(name)))
        .collect();
    // Stable: within each kind the order of the rankings stays, best first.
    rows.sort_by_key(|(name, is_floor)| (*is_floor, !name.axes.is_empty()));
    rows
}

/// Implementations down, scenarios across, who leads in the first row, floors at the end.
fn matrix(family: &str, rankings: &[&Ranking], wording: &Wording<'_>, notes: &mut Notes) -> Markup {
    let columns: Vec<_> = rankings
        .iter()
        .map(|ranking| (*ranking, Lead::of(ranking), by_name(ranking)))
        .collect();
    let own_metrics = common_metric(rankings).is_none();
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Implementations of " (family) } {
            table.matrix {
                thead { tr {
                    th scope="col" { "implementation" }
                    @for ranking in rankings { th scope="col" {
                        a href={ "#" (anchor("s", &ranking.scenario.to_string())) } { (breakable(&ranking.scenario.id.name)) }
                        small { (wording.words(&ranking.scenario)) @if own_metrics { ", by " (metric_words(&ranking.metric)) } }
                    } }
                } }
                tbody {
                    tr.pick {
                        th scope="row" { "choose" }
                        @for (ranking, lead, _) in &columns { td { (lead_words(ranking, lead)) } }
                    }
                    @for (name, is_floor) in rows(rankings) { tr.floor[is_floor] {
                        th scope="row" { (short(name)) }
                        @for (ranking, lead, cells) in &columns { (cell(cells.get(name).copied(), ranking, lead, notes)) }
                    } }
                }
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

/// The answer: who is best, with the figure, and who is level; or that nobody is.
fn lead_words(ranking: &Ranking, lead: &Lead<'_>) -> Markup {
    html! {
        @match lead {
            Lead::Clear { first, level } => {
                b { "★ " (short(&first.implementation)) }
                @if let Some(own) = own_words(first, &ranking.unit) { small { (own) } }
                @if !level.is_empty() { small { "≈ " (names(level, 3)) } }
            }
            Lead::Open(cells) => { "no clear best: " (names(cells, 2)) " not told apart" }
            Lead::TooFewRounds(_) => { span.na { "too few rounds to rank" } }
            Lead::Nothing => { span.na { "none usable" } }
        }
    }
}

/// The first names, and how many more there are.
fn names(cells: &[&RankedCell], shown: usize) -> Markup {
    html! {
        @for (index, cell) in cells.iter().take(shown).enumerate() {
            @if index > 0 { ", " }
            (short(&cell.implementation))
        }
        @if cells.len() > shown { " +" (cells.len() - shown) }
    }
}

fn cell(
    cell: Option<&RankedCell>,
    ranking: &Ranking,
    lead: &Lead<'_>,
    notes: &mut Notes,
) -> Markup {
    let Some(cell) = cell else {
        return html! { td.none { span aria-hidden="true" { "–" } span.sr { "not in the plan" } } };
    };
    match &cell.mark {
        Mark::Invalid { because } => html! { td.invalid { "invalid" (notes.mark(because)) } },
        Mark::Unsupported { reason } => html! { td.na { "n/a" (notes.mark(reason)) } },
        Mark::Best if lead.is_best(&cell.implementation) => {
            html! { td.best { "★" (THIN) (relative(cell, ranking)) } }
        }
        Mark::Best => html! { td.near { (relative(cell, ranking)) } },
        Mark::Level => html! { td.level { "≈" (THIN) (relative(cell, ranking)) } },
        Mark::Undecided { because } if !compares(cell) => {
            html! { td.unranked { "?" (THIN) (relative(cell, ranking)) (notes.mark(because)) } }
        }
        Mark::Undecided { .. } => {
            let sign = if cell.bound { "≥" } else { "?" };
            html! { td.unranked { (sign) (THIN) (relative(cell, ranking)) } }
        }
        Mark::Floor if is_open(cell) => {
            html! { td.floor { "?" (THIN) (relative(cell, ranking)) } }
        }
        Mark::Floor => html! { td.floor { (relative(cell, ranking)) } },
        Mark::Behind => html! { td class=(distance(cell)) { (relative(cell, ranking)) } },
    }
}

/// Whether the ratio to the best rests on rounds enough.
fn compares(cell: &RankedCell) -> bool {
    cell.relative.is_some_and(|ratio| ratio.confidence > 0.0)
}

/// Whether the interval leaves open which of the two is better; one that lies within 5 % of 1 says that
/// they are level.
fn is_open(cell: &RankedCell) -> bool {
    cell.relative.is_none_or(|ratio| {
        let is_level = ratio.low >= 0.95 && ratio.high <= 1.05;
        ratio.low <= 1.0 && ratio.high >= 1.0 && !is_level
    })
}

/// The metric, when all scenarios of a family are ranked by one.
fn common_metric<'a>(rankings: &[&'a Ranking]) -> Option<&'a str> {
    let first = rankings.first()?.metric.as_str();
    rankings
        .iter()
        .all(|ranking| ranking.metric == first)
        .then_some(first)
}

/// How good relative to the best, with the interval below; the plain figure where there is no pair.
fn relative(cell: &RankedCell, ranking: &Ranking) -> Markup {
    let best = matches!(cell.mark, Mark::Best);
    let own = || {
        cell.figure
            .as_ref()
            .map(|own| figure(own, &ranking.unit))
            .map(|f| (f.point, f.range))
    };
    let ratio = cell.relative.as_ref().filter(|_| best || compares(cell));
    html! {
        @match ratio.map(times).or_else(own) {
            Some((point, range)) => { (point) @if !best { small { (range) } } }
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
