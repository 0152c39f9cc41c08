//! A record: one block of one cell, with all that is needed to repeat it. Records are appended to a
//! JSON Lines file and never edited.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BlockTiming, Host, ImplementationSpec, Measures, ScenarioSpec, Settings};

/// The number of the record's form. A reader refuses any other and names this one.
pub const SCHEMA: u32 = 1;

/// How a block ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Status {
    /// Measured, answers right.
    Completed,
    /// Not measured to the end: the server died, hung, or answered wrongly, or a promise was broken.
    Failed {
        /// What happened, in a sentence.
        because: String,
        /// The last lines of the server's standard error.
        stderr: String,
    },
    /// Not started, for a reason of this host.
    Skipped {
        /// Why, and what would change it.
        reason: String,
    },
    /// Not timed: it failed its family's conformance cases.
    Disqualified {
        /// The cases that failed.
        because: String,
        /// The last lines of the server's standard error.
        #[serde(default)]
        stderr: String,
    },
}

/// Which processors each role used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The server's.
    pub server_cpus: Vec<usize>,
    /// The generator's.
    pub generator_cpus: Vec<usize>,
    /// True when a core had to be shared by the two roles.
    pub shared: bool,
}

/// How this binary was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Commit of the source, with `-dirty` behind it when there were changes; `unknown` outside git.
    pub commit: String,
    /// Compiler version.
    pub rustc: String,
    /// Flags given to it.
    pub flags: String,
    /// Cargo profile.
    pub profile: String,
    /// Target triple.
    pub target: String,
    /// First 16 hexadecimal digits of the SHA-256 of the binary.
    pub binary: String,
}

/// An outside program, as its manifest and its version command name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// What its version command printed.
    pub version: String,
    /// Where to get it.
    pub source: String,
}

/// One block of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name of the run: the folder below `reports/runs/`.
    pub run: String,
    /// When the block began, in seconds since 1970-01-01 UTC.
    pub recorded_at: u64,
    /// How the binary was built.
    pub build: Build,
    /// The machine.
    pub host: Host,
    /// Processors of each role.
    pub placement: Placement,
    /// The scenario, canonical.
    pub scenario: ScenarioSpec,
    /// Every parameter, defaults included.
    pub params: Settings,
    /// The implementation, canonical.
    pub implementation: ImplementationSpec,
    /// Every axis, defaults included.
    pub axes: Settings,
    /// False for a floor.
    pub ranked: bool,
    /// The outside program behind it, if it is one.
    pub program: Option<Program>,
    /// The server's command line.
    pub server_command: Vec<String>,
    /// The generator's command line.
    pub generator_command: Vec<String>,
    /// What the server was asked to do like all the others, such as `congestion=cubic`.
    pub aligned: BTreeMap<String, String>,
    /// What could not be aligned.
    pub not_aligned: Vec<String>,
    /// Seed of the load.
    pub seed: u64,
    /// Number of the round in its group, from 0. Cells of one group and round are compared pairwise.
    pub round: u32,
    /// Position within the round, from 0.
    pub position: u32,
    /// 0, or 1 for the second copy of an implementation that is compared with itself.
    pub replica: u8,
    /// Number of the group in its plan.
    pub group: u32,
    /// Times of the block.
    pub timing: BlockTiming,
    /// How the block ended.
    pub status: Status,
    /// What was measured; absent unless the block was.
    pub measures: Option<Measures>,
    /// Files beside the records that belong to this one.
    pub artifacts: Vec<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// The quality tests that it failed, with a proof: it is timed, and not to be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_fault: Option<String>,
}
