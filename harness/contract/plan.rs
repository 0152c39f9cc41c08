//! A plan: the cells to measure, in groups whose rounds are interleaved.

use serde::{Deserialize, Serialize};

use crate::{BlockTiming, ImplementationSpec, ScenarioSpec};

/// Why a cell is in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Purpose {
    /// The engines of a family beside each other.
    Ranking,
    /// One axis changed from the default.
    Axis {
        /// Its name.
        axis: String,
    },
    /// A claim names it.
    Claim {
        /// The claim's id.
        id: String,
    },
    /// The limit of its kind.
    Floor,
    /// An outside program.
    Peer,
    /// An implementation against itself.
    SelfControl,
}

/// One implementation in one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// The implementation, canonical.
    pub implementation: ImplementationSpec,
    /// 0, or 1 for the second copy of an implementation that is compared with itself.
    #[serde(default)]
    pub replica: u8,
    /// Why it is here.
    pub purposes: Vec<Purpose>,
}

/// Cells of one scenario that share rounds: in each round every cell runs once, in random order, each
/// in fresh processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The scenario, canonical.
    pub scenario: ScenarioSpec,
    /// Its rounds take turns with those of the group before, so that cells of the two can be compared: they
    /// differ in a parameter of the scenario.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interleaved: bool,
    /// How many rounds.
    pub rounds: u32,
    /// Times of each block.
    pub timing: BlockTiming,
    /// The cells.
    pub cells: Vec<PlannedCell>,
}

/// Something that a reader might look for and that is not in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omitted {
    /// A claim's id, or a cell's name.
    pub what: String,
    /// Why it was left out and which plan or option would have it.
    pub because: String,
}

/// What a run will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// `smoke`, `quick`, `full`, or the name of a plan of one's own.
    pub name: String,
    /// Seed of the order of the cells and of every load.
    pub seed: u64,
    /// The groups, in the order in which they run.
    pub groups: Vec<Group>,
    /// What was left out.
    pub omitted: Vec<Omitted>,
    /// How long it will take, in seconds.
    pub estimated_s: u64,
}
