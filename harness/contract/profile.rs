//! What `profile` leaves behind: graphs of one or two servers, and what to know of them. It is no record of a
//! run, and no verdict is made of it.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::name::{ImplementationSpec, ScenarioSpec};
use crate::record::{Build, Placement};

/// The form of [`ProfileReport`]; raised when a reader of the old one would misread the new one.
pub const PROFILE_SCHEMA: u32 = 1;

/// Which of the two processes is profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfiledSide {
    /// The server.
    Server,
    /// The generator.
    Generator,
}

/// What a profiler is for, told before anybody uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfilerAbout {
    /// Its name, as on the command line.
    pub name: String,
    /// The question that it answers.
    pub purpose: String,
    /// What slows the process down; by how much is measured in every profile.
    pub slowdown: String,
    /// What it leaves.
    pub output: String,
}

/// How fast the load went without the profiler and with it, in blocks that take turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfilerSlowdown {
    /// Operations a second of each block without the profiler.
    pub rates_bare_per_s: Vec<f64>,
    /// Operations a second of each block with it, in the same order of pairs.
    pub rates_attached_per_s: Vec<f64>,
    /// Median over the pairs of the share of the rate that is lost: 0.02 is 2 % slower, negative is faster.
    pub rate_lost: f64,
    /// Median over the pairs of the growth of the profiled side's processor time for an operation; `None` where it
    /// could not be read.
    pub processor_time_grown: Option<f64>,
}

/// One figure of a profiler that counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileFigure {
    /// What is counted, such as the name of a system call.
    pub name: String,
    /// How often for an operation, or the share of the time: see `unit`.
    pub value: f64,
    /// Unit of `value`.
    pub unit: String,
}

/// What one profiler found of one server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The profiler's name.
    pub profiler: String,
    /// Which of [`ProfileReport::subjects`] it watched.
    pub subject: usize,
    /// Sum over the stacks: samples, or microseconds.
    pub total: u64,
    /// Unit of `total`.
    pub unit: String,
    /// How much it slowed the load; `None` where nothing was attached.
    pub slowdown: Option<ProfilerSlowdown>,
    /// The file with folded stacks, relative to the folder.
    pub folded: Option<String>,
    /// The file with the flame graph, relative to the folder.
    pub graph: Option<String>,
    /// Counted figures, the largest first; of a flame graph the functions in which most of it was spent.
    pub figures: Vec<ProfileFigure>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

/// How much of all samples a function has itself, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionChange {
    /// The function.
    pub function: String,
    /// Share of all samples before, without what it calls.
    pub before: f64,
    /// Share of all samples after.
    pub after: f64,
}

/// What differs between the profiles of two servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileDifference {
    /// The profiler's name.
    pub profiler: String,
    /// Flame graph of what came after, coloured by what it has more or less than before.
    pub graph_after: String,
    /// Flame graph of what was before, coloured by what the other has more or less: what vanished is seen here.
    pub graph_before: String,
    /// The functions that changed most, the largest change first.
    pub changes: Vec<FunctionChange>,
}

/// A profile of a cell, in the folder of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct AttachedProfile {
    /// Its folder, by its name in that of the run. There lies a page, `index.html`.
    pub folder: String,
    /// What was found.
    pub report: ProfileReport,
}

/// One of the profiled servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfiledSubject {
    /// What the caller named: an implementation, or another build's file.
    pub name: String,
    /// What it serves.
    pub implementation: ImplementationSpec,
    /// How it was built, as far as that is known.
    pub build: Build,
}

/// All that a profile found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileReport {
    /// [`PROFILE_SCHEMA`].
    pub schema: u32,
    /// When it began, in seconds since 1970.
    pub began_at: u64,
    /// The load.
    pub scenario: ScenarioSpec,
    /// What was watched.
    pub side: ProfiledSide,
    /// Seconds that each profiler watched each server, about.
    pub seconds: f64,
    /// The machine.
    pub host: Host,
    /// Who ran where.
    pub placement: Placement,
    /// The server that was asked about, and the one that it is compared with, if there is one.
    pub subjects: Vec<ProfiledSubject>,
    /// The profilers that were used.
    pub profilers: Vec<ProfilerAbout>,
    /// What they found.
    pub profiles: Vec<Profile>,
    /// What differs from the second subject to the first one.
    pub differences: Vec<ProfileDifference>,
    /// What a reader should know besides.
    pub warnings: Vec<String>,
}
