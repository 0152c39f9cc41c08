//! A formula of a document, and what it gives here: one entry of `datasets/formulas.toml`, and the table
//! that a judge makes of it. Nothing is promised or missed in it: a reader sees figure beside figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ImplementationSpec, Interval, ScenarioSpec};

/// The document's figures by the column in which they stand. A column that the document gives no figure
/// for is left out.
pub type ByColumn = BTreeMap<String, f64>;

/// One formula of a document.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    /// Unique name.
    pub id: String,
    /// The family of servers that it is about.
    pub family: String,
    /// The document that it comes from: a file under the seeds.
    pub seed: String,
    /// Its section there.
    pub section: String,
    /// What it answers, in a few words.
    pub title: String,
    /// The formula in words.
    pub expression: String,
    /// How its terms make the result.
    pub combine: Combine,
    /// What the result is called.
    pub result: String,
    /// The unit of its terms and of its result.
    pub unit: String,
    /// The columns of the document's figures.
    pub columns: Vec<String>,
    /// The results that the document writes down itself.
    #[serde(default)]
    pub stated: ByColumn,
    /// The document's line with its result.
    pub source: String,
    /// Its terms.
    #[serde(rename = "term")]
    pub terms: Vec<FormulaTerm>,
    /// What was in fact measured for the result.
    pub whole: FormulaPart,
    /// Figures that the document gives besides.
    #[serde(default, rename = "beside")]
    pub besides: Vec<FormulaPart>,
    /// What is to be known of the document's own figures.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// How terms make a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The least of them.
    Least,
    /// All of them together. One is what the others leave of what was measured as a whole.
    Sum,
}

/// One term: what its parts give when they are multiplied and divided.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormulaTerm {
    /// What it is called; a term of one part has the name of the part.
    #[serde(default)]
    pub name: String,
    /// What the document writes down for it.
    #[serde(default)]
    pub stated: ByColumn,
    /// True for a term that the document's formula does not have: shown, no part of a result.
    #[serde(default)]
    pub added: bool,
    /// What a reader has to know of it.
    #[serde(default)]
    pub note: String,
    /// Its parts.
    #[serde(rename = "part")]
    pub parts: Vec<FormulaPart>,
}

/// One figure of a formula.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormulaPart {
    /// What it is called.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// True when the term is divided by it.
    #[serde(default)]
    pub divides: bool,
    /// The document's figures.
    #[serde(default)]
    pub document: ByColumn,
    /// The document's line that they come from.
    #[serde(default)]
    pub source: String,
    /// Where its figure is measured.
    pub measured: Measurement,
    /// How many times the machine's figure one implementation has, as the note says.
    #[serde(default = "once")]
    pub times: u32,
    /// What a reader has to know of the measured figure.
    #[serde(default)]
    pub note: String,
    /// True when the measured figure leaves something out, as the note says: in truth it is more.
    #[serde(default)]
    pub partial: bool,
}

fn once() -> u32 {
    1
}

/// Where a figure comes from on a machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Measurement {
    /// From the description of the machine.
    Host(HostFigure),
    /// From the first of these cells that a run has and that can be used.
    Cells(Vec<MeasuredCell>),
    /// Nothing measures it: the document's figure in this column is taken.
    Assumed(String),
    /// Nothing measures it, for this reason.
    Never(String),
    /// What the other terms leave of the whole.
    Rest,
}

/// A figure of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostFigure {
    /// Its memory.
    MemoryBytes,
    /// The limit on open files of a process.
    OpenFilesMax,
}

/// A metric of a cell of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredCell {
    /// The scenario, canonical.
    pub scenario: ScenarioSpec,
    /// The implementation, canonical.
    pub implementation: ImplementationSpec,
    /// The metric.
    pub metric: String,
    /// Of the figure only what it has more than this implementation in the same rounds. Where that was
    /// not measured, the figure as it is, as a bound.
    #[serde(default)]
    pub beyond: Option<ImplementationSpec>,
}

/// A formula with the document's figures and the measured ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormulaTable {
    /// Its name.
    pub id: String,
    /// The family of servers that it is about.
    pub family: String,
    /// The document.
    pub seed: String,
    /// Its section there.
    pub section: String,
    /// What it answers.
    pub title: String,
    /// The formula in words.
    pub expression: String,
    /// The columns of the document's figures.
    pub columns: Vec<String>,
    /// Its figures, in the order of the formula, the result behind its terms.
    pub rows: Vec<FormulaRow>,
    /// What is to be known of the document's own figures.
    pub notes: Vec<String>,
    /// The document's own lines, each once.
    pub sources: Vec<String>,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormulaRow {
    /// What kind of figure it is.
    pub kind: FormulaRowKind,
    /// What it is called.
    pub name: String,
    /// The unit of all its figures.
    pub unit: String,
    /// The document's figures, as many as there are columns.
    pub document: Vec<DocumentFigure>,
    /// What this machine gave.
    pub measured: MeasuredFigure,
    /// What a reader has to know of the measured figure; may be empty.
    pub note: String,
}

/// What a line of the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormulaRowKind {
    /// A figure that goes into a term.
    Part,
    /// A term.
    Term,
    /// A term that the document's formula does not have.
    Added,
    /// What the formula gives.
    Result,
    /// What was measured in its place, or besides.
    Fact,
}

/// A figure of the document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DocumentFigure {
    /// What it gives, or what follows from what it gives.
    pub figure: Option<f64>,
    /// What it writes down where that is another figure, or where nothing gives one.
    pub stated: Option<f64>,
}

/// A figure of this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum MeasuredFigure {
    /// From the description of the machine.
    Host {
        /// The figure.
        figure: f64,
        /// Which one it is.
        of: HostFigure,
    },
    /// From a cell of the run.
    Cell {
        /// The figure, with its interval.
        interval: Interval,
        /// Where the figure is only a bound, on which side.
        bound: Option<Bound>,
        /// What was read; without `beyond` where nothing was taken off.
        of: Box<MeasuredCell>,
    },
    /// Follows from the figures above it.
    Follows {
        /// The figure; of figures with intervals, with one that holds at least as often as all of them.
        interval: Interval,
        /// Where the figure is only a bound, on which side.
        bound: Option<Bound>,
        /// Terms that have a figure.
        terms: u32,
        /// Terms that there are.
        terms_all: u32,
    },
    /// Not measured: the document's own figure.
    Assumed {
        /// The figure.
        figure: f64,
    },
    /// Not measured.
    Missing {
        /// Why not, and what would measure it; empty where it would follow from others.
        because: String,
    },
}

/// On which side of a figure the truth may lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It is this or more.
    AtLeast,
    /// It is this or less.
    AtMost,
}
