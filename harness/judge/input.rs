//! What a judge is given: plain data, so that it depends on no scenario and no implementation.

use ringside_contract::{Claim, Formula, Id, Plan, ScenarioMeta};

use crate::Records;
use crate::fairer::Fairer;

/// What is known of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioInfo {
    /// `family/name`.
    pub id: Id,
    /// The question that it answers.
    pub question: String,
    /// What its operations are called, such as `requests`.
    pub operations: String,
    /// The metric by which implementations are ranked.
    pub ranked_by: String,
}

impl From<&ScenarioMeta> for ScenarioInfo {
    fn from(meta: &ScenarioMeta) -> Self {
        Self {
            id: meta.id(),
            question: meta.question.to_owned(),
            operations: meta.operations.to_owned(),
            ranked_by: meta.ranked_by.to_owned(),
        }
    }
}

/// The families that claims may name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Families {
    /// Those that this program has, such as `http`.
    pub built: Vec<String>,
    /// Those that are still to come.
    pub roadmap: Vec<String>,
}

/// Everything that a verdict follows from.
#[derive(Debug, Clone, Copy)]
pub struct JudgeInput<'a> {
    /// The records of one run.
    pub records: &'a Records,
    /// Its plan; without one, what was left out cannot be told from what was lost.
    pub plan: Option<&'a Plan>,
    /// The claims.
    pub claims: &'a [Claim],
    /// The formulas.
    pub formulas: &'a [Formula],
    /// What is fair in the place of what documents name.
    pub fairer: &'a [Fairer],
    /// The scenarios.
    pub scenarios: &'a [ScenarioInfo],
    /// The implementations, outside programs included.
    pub implementations: &'a [Id],
    /// The families.
    pub families: &'a Families,
    /// Commands that repeat the run, for the report.
    pub repeat: &'a [String],
}
