//! Formulas beside what was measured: every figure of the document, the measured one in its place, and
//! what the formula gives with either. No verdict follows from it.

use std::collections::{BTreeMap, BTreeSet};

use ringside_contract::{
    Bound, Combine, DocumentFigure, Formula, FormulaPart, FormulaRow, FormulaRowKind, FormulaTable,
    FormulaTerm, Host, HostFigure, Interval, MeasuredCell, MeasuredFigure, Measurement,
};

use crate::doubt::{only_a_bound, unfit};
use crate::formula_values::{Value, least, measured_quotient, quotient};
use crate::index::{Cell, Index, RoundKey};
use crate::input::JudgeInput;
use crate::interval::{NOMINAL_CONFIDENCE, median_interval};
use crate::metrics::{Metric, OverBlocks, metric};
use crate::units::convert;

/// A figure that the document writes down is another than what it puts in gives, beyond this.
const STATED_ALIKE: f64 = 0.005;

/// The tables of the formulas that a cell of the run has a figure for.
pub(crate) fn tables(input: &JudgeInput<'_>, index: &Index<'_>) -> Vec<FormulaTable> {
    let Some(first) = input.records.records.first() else {
        return Vec::new();
    };
    let run = Run {
        host: &first.host,
        index,
    };
    let tables = input.formulas.iter().map(|formula| run.table(formula));
    tables.filter(has_a_cell).collect()
}

fn has_a_cell(table: &FormulaTable) -> bool {
    let mut rows = table.rows.iter();
    rows.any(|row| matches!(row.measured, MeasuredFigure::Cell { .. }))
}

/// What figures come from.
struct Run<'i, 'a> {
    host: &'i Host,
    index: &'i Index<'a>,
}

/// A measured figure as a line shows it, with what is needed to go on with it.
struct Measured {
    shown: MeasuredFigure,
    /// In the unit of the line; absent where nothing was measured.
    value: Option<Value>,
    /// The figure of each round; empty where it is no cell's.
    rounds: BTreeMap<RoundKey, f64>,
}

impl Run<'_, '_> {
    fn table(&self, formula: &Formula) -> FormulaTable {
        let whole = self.part(&formula.whole);
        let mut rows = Vec::new();
        let mut terms = Vec::new();
        let mut measured_parts = Vec::new();
        for term in &formula.terms {
            let parts: Vec<Measured> = term.parts.iter().map(|part| self.part(part)).collect();
            measured_parts.push(parts);
        }
        settle_rest(formula, &mut measured_parts, &whole);
        for (term, parts) in formula.terms.iter().zip(measured_parts) {
            let (of_term, value) = term_rows(formula, term, parts);
            if !term.added {
                let last = of_term.last().map(|row| row.document.clone());
                terms.push((last.unwrap_or_default(), value));
            }
            rows.extend(of_term);
        }
        rows.push(result_row(formula, &terms, &whole));
        if formula.combine == Combine::Least {
            rows.push(part_row(
                formula,
                &formula.whole,
                FormulaRowKind::Fact,
                whole.shown,
            ));
        }
        for part in &formula.besides {
            let shown = self.part(part).shown;
            rows.push(part_row(formula, part, FormulaRowKind::Fact, shown));
        }
        FormulaTable {
            id: formula.id.clone(),
            family: formula.family.clone(),
            seed: formula.seed.clone(),
            section: formula.section.clone(),
            title: formula.title.clone(),
            expression: formula.expression.clone(),
            columns: formula.columns.clone(),
            rows,
            notes: formula.notes.clone(),
            sources: sources(formula),
        }
    }

    fn part(&self, part: &FormulaPart) -> Measured {
        let constant = |shown, figure| Measured {
            shown,
            value: Some(Value::constant(figure)),
            rounds: BTreeMap::new(),
        };
        match &part.measured {
            Measurement::Host(of) => {
                let (figure, unit) = match of {
                    HostFigure::MemoryBytes => (self.host.memory_bytes as f64, "B"),
                    HostFigure::OpenFilesMax => (self.host.open_files_max as f64, "conn"),
                };
                let figure =
                    figure * f64::from(part.times) * convert(unit, &part.unit).unwrap_or(1.0);
                constant(MeasuredFigure::Host { figure, of: *of }, figure)
            }
            Measurement::Assumed(column) => {
                // The reader of the formulas has refused a column without a figure.
                let figure = part.document.get(column).copied().unwrap_or(f64::NAN);
                constant(MeasuredFigure::Assumed { figure }, figure)
            }
            Measurement::Never(reason) => missing(format!("not measured: {reason}")),
            Measurement::Rest => missing(String::new()),
            Measurement::Cells(cells) => self.first_of(part, cells),
        }
    }

    /// The first cell that can be used; else why one that is there cannot, or which one it would take.
    fn first_of(&self, part: &FormulaPart, cells: &[MeasuredCell]) -> Measured {
        let mut unusable = None;
        for named in cells {
            let Some(cell) = self.cell(named, &named.implementation) else {
                continue;
            };
            match self.read(part, named, cell) {
                Ok(measured) => return measured,
                Err(because) => {
                    unusable.get_or_insert(format!("not to be used: {}: {because}", cell.name()));
                }
            }
        }
        missing(unusable.unwrap_or_else(|| {
            let would = cells.first().map_or_else(String::new, |cell| {
                format!("; {} in {} would", cell.implementation, cell.scenario)
            });
            format!("not measured in this run{would}")
        }))
    }

    /// A cell of the run that was measured.
    fn cell(
        &self,
        named: &MeasuredCell,
        implementation: &ringside_contract::ImplementationSpec,
    ) -> Option<&Cell<'_>> {
        self.index.first_copies().find(|cell| {
            *cell.scenario == named.scenario
                && cell.implementation == implementation
                && !cell.records.is_empty()
        })
    }

    fn read(
        &self,
        part: &FormulaPart,
        named: &MeasuredCell,
        cell: &Cell<'_>,
    ) -> Result<Measured, String> {
        let unknown = || format!("{} was not measured", named.metric);
        let metric = metric(&named.metric).ok_or_else(unknown)?;
        let factor = convert(metric.unit, &part.unit).ok_or_else(unknown)?;
        if let Some(because) = unfit(cell, metric) {
            return Err(because);
        }
        let mut rounds = rounds_of(cell, metric);
        let mut bound = only_a_bound(cell, metric).map(|_| better(metric));
        let mut beyond = None;
        if let Some(other) = &named.beyond {
            let found = self
                .cell(named, other)
                .filter(|cell| unfit(cell, metric).is_none())
                .map(|cell| rounds_of(cell, metric))
                .filter(|others| !others.is_empty());
            match found {
                Some(others) => {
                    rounds = less(&rounds, &others);
                    beyond = Some(other.clone());
                }
                None => bound = Some(Bound::AtMost),
            }
        }
        for figure in rounds.values_mut() {
            *figure *= factor;
        }
        let interval = median(&rounds).ok_or_else(unknown)?;
        let bound = if part.partial {
            Some(Bound::AtLeast)
        } else {
            bound
        };
        Ok(Measured {
            shown: MeasuredFigure::Cell {
                interval,
                bound,
                of: Box::new(MeasuredCell {
                    beyond,
                    ..named.clone()
                }),
            },
            value: Some(Value { interval, bound }),
            rounds,
        })
    }
}

fn missing(because: String) -> Measured {
    Measured {
        shown: MeasuredFigure::Missing { because },
        value: None,
        rounds: BTreeMap::new(),
    }
}

/// The side on which the truth may be better than a figure that is only a bound.
fn better(metric: &Metric) -> Bound {
    if metric.more_is_better {
        Bound::AtLeast
    } else {
        Bound::AtMost
    }
}

/// The figure of each round; none where all rounds are needed and one has none.
fn rounds_of(cell: &Cell<'_>, metric: &Metric) -> BTreeMap<RoundKey, f64> {
    let figure =
        |(key, (_, measures)): (&RoundKey, &(_, &_))| Some((*key, metric.figure(measures)?));
    let rounds: BTreeMap<RoundKey, f64> = cell.rounds.iter().filter_map(figure).collect();
    match metric.over_blocks {
        OverBlocks::MedianOfAll if rounds.len() < cell.rounds.len() => BTreeMap::new(),
        _ => rounds,
    }
}

/// The difference in the rounds that both have.
fn less(
    rounds: &BTreeMap<RoundKey, f64>,
    others: &BTreeMap<RoundKey, f64>,
) -> BTreeMap<RoundKey, f64> {
    rounds
        .iter()
        .filter_map(|(key, figure)| Some((*key, figure - others.get(key)?)))
        .collect()
}

fn median(rounds: &BTreeMap<RoundKey, f64>) -> Option<Interval> {
    let figures: Vec<f64> = rounds.values().copied().collect();
    median_interval(&figures, NOMINAL_CONFIDENCE)
}

/// Fills in the term of a sum that is what the others leave of the whole, in the rounds that all of them
/// have. Where one of them was not measured, nothing can be said of it.
fn settle_rest(formula: &Formula, terms: &mut [Vec<Measured>], whole: &Measured) {
    let is_rest = |part: &FormulaPart| matches!(part.measured, Measurement::Rest);
    let place = formula
        .terms
        .iter()
        .position(|term| term.parts.iter().any(is_rest));
    let Some(place) = place else { return };
    let others = || {
        let all = terms.iter().enumerate();
        all.filter(move |(index, _)| *index != place)
            .flat_map(|(_, parts)| parts)
    };
    let mut rest = whole.rounds.clone();
    for other in others() {
        rest = less(&rest, &other.rounds);
    }
    let is_bound = others().any(|other| other.value.is_some_and(|value| value.bound.is_some()));
    let count = u32::try_from(terms.len()).unwrap_or(u32::MAX);
    let settled = match median(&rest) {
        Some(interval) => {
            let bound = is_bound.then_some(Bound::AtLeast);
            Measured {
                shown: MeasuredFigure::Follows {
                    interval,
                    bound,
                    terms: count,
                    terms_all: count,
                },
                value: Some(Value { interval, bound }),
                rounds: rest,
            }
        }
        None => missing("not told: it takes the whole and all other terms".to_owned()),
    };
    terms[place] = vec![settled];
}

/// The lines of a term: its parts, and behind several of them what they give.
fn term_rows(
    formula: &Formula,
    term: &FormulaTerm,
    parts: Vec<Measured>,
) -> (Vec<FormulaRow>, Option<Value>) {
    let kind = if term.added {
        FormulaRowKind::Added
    } else {
        FormulaRowKind::Term
    };
    let values: Option<Vec<Value>> = parts.iter().map(|part| part.value).collect();
    let value = values.and_then(|values| measured_quotient(formula, term, &values));
    if let [part] = term.parts.as_slice() {
        let shown = parts.into_iter().next();
        let shown = shown.map_or_else(|| missing(String::new()).shown, |measured| measured.shown);
        return (vec![part_row(formula, part, kind, shown)], value);
    }
    let mut rows: Vec<FormulaRow> = term
        .parts
        .iter()
        .zip(parts)
        .map(|(part, measured)| part_row(formula, part, FormulaRowKind::Part, measured.shown))
        .collect();
    rows.push(FormulaRow {
        kind,
        name: term.name.clone(),
        unit: formula.unit.clone(),
        document: formula
            .columns
            .iter()
            .map(|column| {
                let given = |part: &FormulaPart| part.document.get(column).copied();
                let figures: Option<Vec<f64>> = term.parts.iter().map(given).collect();
                let figure = figures.map(|figures| quotient(formula, term, &figures));
                document_figure(figure, term.stated.get(column).copied())
            })
            .collect(),
        measured: follows(value, term.parts.len(), term.parts.len()),
        note: term.note.clone(),
    });
    (rows, value)
}

fn follows(value: Option<Value>, terms: usize, terms_all: usize) -> MeasuredFigure {
    let count = |terms| u32::try_from(terms).unwrap_or(u32::MAX);
    match value {
        Some(Value { interval, bound }) => MeasuredFigure::Follows {
            interval,
            bound,
            terms: count(terms),
            terms_all: count(terms_all),
        },
        None => missing(String::new()).shown,
    }
}

/// What the formula gives: with the document's figures, and with those of this machine. A sum that is
/// taken apart is what was measured as a whole.
fn result_row(
    formula: &Formula,
    terms: &[(Vec<DocumentFigure>, Option<Value>)],
    whole: &Measured,
) -> FormulaRow {
    let document = formula.columns.iter().enumerate().map(|(place, column)| {
        let given = |(figures, _): &(Vec<DocumentFigure>, _)| {
            let figure: &DocumentFigure = figures.get(place)?;
            figure.figure.or(figure.stated)
        };
        let figure = match formula.combine {
            Combine::Least => terms.iter().filter_map(given).reduce(f64::min),
            Combine::Sum => terms.iter().map(given).sum::<Option<f64>>(),
        };
        document_figure(figure, formula.stated.get(column).copied())
    });
    let (measured, note) = match formula.combine {
        Combine::Least => {
            let values: Vec<Value> = terms.iter().filter_map(|(_, value)| *value).collect();
            let figure = follows(least(&values), values.len(), terms.len());
            (figure, String::new())
        }
        Combine::Sum => (whole.shown.clone(), formula.whole.note.clone()),
    };
    FormulaRow {
        kind: FormulaRowKind::Result,
        name: formula.result.clone(),
        unit: formula.unit.clone(),
        document: document.collect(),
        measured,
        note,
    }
}

fn part_row(
    formula: &Formula,
    part: &FormulaPart,
    kind: FormulaRowKind,
    measured: MeasuredFigure,
) -> FormulaRow {
    let given = |column| document_figure(part.document.get(column).copied(), None);
    FormulaRow {
        kind,
        name: part.name.clone(),
        unit: part.unit.clone(),
        document: formula.columns.iter().map(given).collect(),
        measured,
        note: part.note.clone(),
    }
}

fn document_figure(figure: Option<f64>, stated: Option<f64>) -> DocumentFigure {
    let alike = |stated: &f64| {
        figure.is_some_and(|figure| (stated - figure).abs() <= STATED_ALIKE * figure.abs())
    };
    DocumentFigure {
        figure,
        stated: stated.filter(|stated| !alike(stated)),
    }
}

/// The document's lines, each once, in the order of the table.
fn sources(formula: &Formula) -> Vec<String> {
    let parts = formula
        .terms
        .iter()
        .flat_map(|term| &term.parts)
        .map(|part| part.source.as_str());
    let besides = formula.besides.iter().map(|part| part.source.as_str());
    let all = parts.chain([formula.source.as_str()]).chain(besides);
    let mut seen = BTreeSet::new();
    all.filter(|source| !source.is_empty() && seen.insert(*source))
        .map(str::to_owned)
        .collect()
}
