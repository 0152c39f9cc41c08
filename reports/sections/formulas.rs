//! Formulas of the documents: each figure beside the measured one, and what either gives.

use maud::{Markup, html};
use ringside_contract::{
    Bound, DocumentFigure, FormulaRow, FormulaRowKind, FormulaTable, HostFigure, Interval,
    MeasuredCell, MeasuredFigure, ScenarioSpec, Verdicts,
};

use crate::format::{bound as short, figure};
use crate::view::{anchor, breakable, metric_words};

/// The formulas that are about a family of servers.
pub(super) fn formulas_of(verdicts: &Verdicts, family: &str) -> Markup {
    let tables = verdicts.formulas.iter();
    html! {
        @for table in tables.filter(|table| table.family == family) { (card(verdicts, table)) }
    }
}

fn card(verdicts: &Verdicts, table: &FormulaTable) -> Markup {
    let id = anchor("f", &table.id);
    html! {
        article.card aria-labelledby=(id) {
            h3 id=(id) { (table.title) " " small.hint { (table.family) ", the document's formula" } }
            p.hint {
                (table.expression) ". Seed " (table.seed) " §\u{a0}" (table.section) "."
            }
            div.scroll tabindex="0" role="region" aria-label=(table.title) {
                table.formula {
                    thead {
                        tr {
                            th scope="col" rowspan="2" { "figure" }
                            th scope="colgroup" colspan=(table.columns.len()) { "in the document" }
                            th.here scope="col" rowspan="2" { "measured here" }
                        }
                        tr { @for column in &table.columns { th scope="col" { (column) } } }
                    }
                    tbody { @for row in &table.rows { (line(verdicts, row)) } }
                }
            }
            @if !table.notes.is_empty() {
                ul.brief.of-document { @for note in &table.notes { li { (note) } } }
            }
            @if !table.sources.is_empty() { details {
                summary { "The document's own lines" }
                ul.brief { @for source in &table.sources { li { (source) } } }
            } }
        }
    }
}

fn line(verdicts: &Verdicts, row: &FormulaRow) -> Markup {
    let class = match row.kind {
        FormulaRowKind::Part => "part",
        FormulaRowKind::Term => "term",
        FormulaRowKind::Added => "term added",
        FormulaRowKind::Result => "result",
        FormulaRowKind::Fact => "fact",
    };
    html! {
        tr class=(class) {
            th scope="row" {
                (row.name)
                @if row.kind == FormulaRowKind::Added { small { (row.note) } }
            }
            @for given in &row.document { td { (documented(given, &row.unit)) } }
            td.here { (measured(verdicts, row)) }
        }
    }
}

/// The document's figure; what it writes down itself where that is another.
fn documented(given: &DocumentFigure, unit: &str) -> Markup {
    let write = |figure| short(figure, cell_unit(unit));
    html! {
        @match (given.figure, given.stated) {
            (Some(figure), None) => { (write(figure)) }
            (Some(figure), Some(stated)) => { (write(figure)) small.slip { "it says " (write(stated)) } }
            (None, Some(stated)) => { (write(stated)) small.slip { "only stated" } }
            (None, None) => { span.na { span aria-hidden="true" { "–" } span.sr { "not given" } } }
        }
    }
}

fn measured(verdicts: &Verdicts, row: &FormulaRow) -> Markup {
    let unit = cell_unit(&row.unit);
    let note = (row.kind != FormulaRowKind::Added && !row.note.is_empty()).then_some(&row.note);
    html! {
        @match &row.measured {
            MeasuredFigure::Host { figure, of } => {
                b { (short(*figure, unit)) } " " span.range { (host_words(*of)) }
            }
            MeasuredFigure::Cell { interval, bound, of } => {
                (with_spread(interval, *bound, unit))
                small { (origin(verdicts, of)) }
            }
            MeasuredFigure::Follows { interval, bound, terms, terms_all } => {
                (with_spread(interval, *bound, unit))
                @if terms < terms_all { small { "of what was measured: " (terms) " of " (terms_all) " terms" } }
            }
            MeasuredFigure::Assumed { figure } => {
                span.na { (short(*figure, unit)) ", as in the document" }
            }
            MeasuredFigure::Missing { because } if because.is_empty() => {
                span.na { span aria-hidden="true" { "–" } span.sr { "not measured" } }
            }
            MeasuredFigure::Missing { because } => { span.na { small { (breakable(because)) } } }
        }
        @if let Some(note) = note.filter(|_| !matches!(row.measured, MeasuredFigure::Missing { .. })) {
            small { (note) }
        }
    }
}

fn with_spread(interval: &Interval, bound: Option<Bound>, unit: &str) -> Markup {
    let words = match bound {
        Some(Bound::AtLeast) => "at least ",
        Some(Bound::AtMost) => "at most ",
        None => "",
    };
    let figure = figure(interval, unit);
    // A figure that is given, and not measured, has no digits to show.
    let point = if interval.low == interval.high {
        short(interval.point, unit)
    } else {
        figure.point
    };
    html! {
        (words) b title=(figure.range) { (point) }
        @if !figure.spread.is_empty() { " " span.range { (figure.spread) } }
    }
}

/// Which cell of the run a figure is from.
fn origin(verdicts: &Verdicts, of: &MeasuredCell) -> Markup {
    html! {
        (metric_words(&of.metric)) ", " (breakable(&of.implementation.to_string()))
        @if let Some(other) = &of.beyond { " beyond " (breakable(&other.to_string())) }
        " in " (scenario(verdicts, &of.scenario))
    }
}

fn scenario(verdicts: &Verdicts, spec: &ScenarioSpec) -> Markup {
    let name = spec.to_string();
    let is_shown = verdicts.cells.iter().any(|cell| cell.scenario == *spec);
    html! {
        @if is_shown {
            a href={ "#" (anchor("s", &name)) } { (breakable(&name)) }
        } @else {
            (breakable(&name))
        }
    }
}

fn host_words(of: HostFigure) -> &'static str {
    match of {
        HostFigure::MemoryBytes => "all of the machine",
        HostFigure::OpenFilesMax => "from the limit on open files",
    }
}

/// The name of a line says what is counted.
fn cell_unit(unit: &str) -> &str {
    match unit {
        "conn" => "",
        "msg/s" => "/s",
        other => other,
    }
}
