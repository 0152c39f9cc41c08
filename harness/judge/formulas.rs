//! Reading `formulas.toml`: the formulas of the documents, with all checked that their tables rest on.

use ringside_contract::{
    ByColumn, Combine, Formula, FormulaPart, FormulaTerm, MeasuredCell, Measurement,
};
use serde::Deserialize;
use thiserror::Error;

use crate::metrics::{OverBlocks, metric};
use crate::units::{convert, in_base};

/// Why formulas could not be read.
#[derive(Debug, Error)]
pub enum FormulasError {
    /// The text is no TOML of this form.
    #[error("{file}: {source}")]
    Form {
        /// The file's name.
        file: String,
        /// What the parser met.
        source: toml::de::Error,
    },
    /// A formula says something that cannot be worked out.
    #[error("{file}, formula `{id}`, `{what}`: {because}")]
    Fault {
        /// The file's name.
        file: String,
        /// The formula.
        id: String,
        /// The part, or what else is wrong.
        what: String,
        /// What is wrong, and what was expected.
        because: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "formula")]
    formulas: Vec<Formula>,
}

/// Reads formulas; `file` is their name in messages.
///
/// # Errors
/// The first fault, with the formula, its part and what was expected.
pub fn read_formulas(text: &str, file: &str) -> Result<Vec<Formula>, FormulasError> {
    let read: File = toml::from_str(text).map_err(|source| FormulasError::Form {
        file: file.to_owned(),
        source,
    })?;
    for (place, formula) in read.formulas.iter().enumerate() {
        let twice = read.formulas[..place]
            .iter()
            .any(|other| other.id == formula.id);
        let checked = if twice {
            Err(fault("id", "it stands twice; give each its own name"))
        } else {
            check(formula)
        };
        checked.map_err(|Fault { what, because }| FormulasError::Fault {
            file: file.to_owned(),
            id: formula.id.clone(),
            what,
            because,
        })?;
    }
    Ok(read.formulas)
}

struct Fault {
    what: String,
    because: String,
}

fn fault(what: &str, because: impl Into<String>) -> Fault {
    Fault {
        what: what.to_owned(),
        because: because.into(),
    }
}

fn check(formula: &Formula) -> Result<(), Fault> {
    unit("unit", &formula.unit)?;
    columns("stated", formula, &formula.stated)?;
    for term in &formula.terms {
        check_term(formula, term)?;
    }
    for part in formula.besides.iter().chain([&formula.whole]) {
        check_part(formula, part)?;
        if matches!(part.measured, Measurement::Rest) {
            return Err(fault(&part.name, "only a term can be the rest"));
        }
    }
    let rests = formula
        .terms
        .iter()
        .filter(|term| term.parts.iter().any(is_rest))
        .count();
    match (formula.combine, rests) {
        (Combine::Least, 0) => Ok(()),
        (Combine::Least, _) => Err(fault("combine", "a least has no rest")),
        (Combine::Sum, 1) => check_sum(formula),
        (Combine::Sum, _) => Err(fault("combine", "a sum has one term that is the rest")),
    }
}

/// What the others leave can be said of what was measured, round by round.
fn check_sum(formula: &Formula) -> Result<(), Fault> {
    let parts = || {
        let terms = formula.terms.iter();
        terms.flat_map(|term| &term.parts).chain([&formula.whole])
    };
    if formula.terms.iter().any(|term| term.parts.len() != 1) {
        return Err(fault("term", "each term of a sum is one part"));
    }
    for part in parts() {
        if part.unit != formula.unit {
            let because = format!("the parts of a sum have its unit, {}", formula.unit);
            return Err(fault(&part.name, because));
        }
        if !is_rest(part) && !matches!(part.measured, Measurement::Cells(_)) {
            let because = "the parts of a sum are measured in cells; one is the rest";
            return Err(fault(&part.name, because));
        }
    }
    Ok(())
}

fn is_rest(part: &FormulaPart) -> bool {
    matches!(part.measured, Measurement::Rest)
}

fn check_term(formula: &Formula, term: &FormulaTerm) -> Result<(), Fault> {
    if term.parts.is_empty() || (term.parts.len() > 1 && term.name.is_empty()) {
        return Err(fault("term", "it needs parts, and of several a name"));
    }
    columns(&term.name, formula, &term.stated)?;
    for part in &term.parts {
        check_part(formula, part)?;
    }
    Ok(())
}

fn check_part(formula: &Formula, part: &FormulaPart) -> Result<(), Fault> {
    unit(&part.name, &part.unit)?;
    columns(&part.name, formula, &part.document)?;
    match &part.measured {
        Measurement::Cells(cells) if cells.is_empty() => {
            Err(fault(&part.name, "it needs a cell that measures it"))
        }
        Measurement::Cells(cells) => cells.iter().try_for_each(|cell| check_cell(part, cell)),
        Measurement::Assumed(column) if !part.document.contains_key(column) => {
            let because = format!("the document gives no figure for `{column}`");
            Err(fault(&part.name, because))
        }
        Measurement::Host(_) if convert("B", &part.unit).is_none() && part.unit != "conn" => Err(
            fault(&part.name, "a figure of the host is bytes or a count"),
        ),
        _ => Ok(()),
    }
}

fn check_cell(part: &FormulaPart, cell: &MeasuredCell) -> Result<(), Fault> {
    let Some(metric) = metric(&cell.metric) else {
        let because = format!("there is no metric `{}`", cell.metric);
        return Err(fault(&part.name, because));
    };
    if matches!(metric.over_blocks, OverBlocks::Pooled(_)) {
        let because = format!("`{}` is a share over all rounds", cell.metric);
        return Err(fault(&part.name, because));
    }
    if convert(metric.unit, &part.unit).is_none() {
        let because = format!("{} does not turn into {}", metric.unit, part.unit);
        return Err(fault(&part.name, because));
    }
    Ok(())
}

fn unit(what: &str, name: &str) -> Result<(), Fault> {
    match in_base(name) {
        Some(_) => Ok(()),
        None => Err(fault(what, format!("there is no unit `{name}`"))),
    }
}

fn columns(what: &str, formula: &Formula, figures: &ByColumn) -> Result<(), Fault> {
    match figures
        .keys()
        .find(|column| !formula.columns.contains(column))
    {
        None => Ok(()),
        Some(column) => {
            let known = formula.columns.join(", ");
            let because = format!("there is no column `{column}`; there are {known}");
            Err(fault(what, because))
        }
    }
}
