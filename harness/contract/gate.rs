//! The gate's documents: what was measured of two builds in turn, and what follows from it.
//!
//! The unit of statistics is a triple: fresh processes of base, head and base again, which take turns under one
//! load generator. Records of triples are appended and never edited, like those of a run.

use serde::{Deserialize, Serialize};

use crate::{Build, Host, ImplementationSpec, Interval, Placement, ScenarioSpec};

/// The number of the form of a gate's documents. A reader refuses any other and names this one.
pub const GATE_SCHEMA: u32 = 1;

/// One server's block while several take turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Which server, as a place in [`TripleRecord::servers`].
    pub server: u32,
    /// The round, from 0; in each round every server has one turn.
    pub round: u32,
    /// Length of the measured part in nanoseconds.
    pub wall_ns: u64,
    /// Operations that ended in it, rightly or not.
    pub operations: u64,
    /// Operations that ended in the dropped part before it.
    pub operations_before: u64,
    /// Operations that ended behind it: what was in flight when it ended.
    pub operations_behind: u64,
    /// Errors and time-outs in it, and wrong answers in it, in its warm-up and until the next turn.
    pub wrong: u64,
    /// Processor time of the server's process tree in it, in nanoseconds. It is known to a tick of the system (4 ms
    /// at 250 Hz) only, by which the clock of another process may lag while that runs.
    pub server_cpu_ns: u64,
    /// The same from the beginning of the dropped part to the beginning of the server's next turn. At both the
    /// server rests, so that nothing lags.
    pub whole_server_cpu_ns: u64,
    /// Processor time of the generator's loading threads in it, in nanoseconds.
    pub generator_cpu_ns: u64,
}

impl Turn {
    /// Operations of the dropped part, the measured part and behind it, which [`Self::whole_server_cpu_ns`] was
    /// used for.
    pub const fn whole_operations(&self) -> u64 {
        self.operations_before + self.operations + self.operations_behind
    }
}

/// What was counted of one server in two turns of its own behind all others: counting takes time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnCount {
    /// Which server, as a place in [`TripleRecord::servers`].
    pub server: u32,
    /// Operations that ended in the first one.
    pub operations: u64,
    /// System calls of the server's process tree in it; `None` when they could not be counted.
    pub system_calls: Option<u64>,
    /// Bytes that the server sent in it, as far as they arrived.
    pub sent_bytes: u64,
    /// Operations that ended in the second one.
    pub operations_probed: u64,
    /// Calls of the C library's functions that give out memory in it, by the same processes; `None` when they could not
    /// be counted.
    pub allocations: Option<u64>,
}

/// Something that could not be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCounted {
    /// What, such as `system calls`.
    pub metric: String,
    /// Why, and what would allow it.
    pub because: String,
}

/// What a generator says of servers that took turns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Turns {
    /// All timed turns in the order in which they were taken.
    pub turns: Vec<Turn>,
    /// Share of the time of those turns in which each processor that is online was not idle. What the hypervisor gave
    /// to others counts as busy, unlike in the clocks of processes.
    pub cpu_busy: Vec<f64>,
    /// One for each server, where counting was asked for.
    pub counts: Vec<TurnCount>,
    /// What could not be counted of them.
    pub uncounted: Vec<NotCounted>,
}

/// Which of the two measurements of a scenario a triple belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The one that every scenario has.
    First,
    /// A second one in fresh processes, after the first found a regression.
    Confirming,
}

/// One triple, or one set of more servers that share a base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TripleRecord {
    /// [`GATE_SCHEMA`].
    pub schema: u32,
    /// The scenario.
    pub scenario: ScenarioSpec,
    /// The implementation.
    pub implementation: ImplementationSpec,
    /// The measurement that it belongs to.
    pub phase: Phase,
    /// Its number in its phase, from 0.
    pub number: u32,
    /// Seed of the order of turns and of the load.
    pub seed: u64,
    /// When it began, in seconds since 1970.
    pub began_at: u64,
    /// What the servers are: `base`, `again`, and `head`; a self-test has several heads.
    pub servers: Vec<String>,
    /// All turns in the order in which they were taken.
    pub turns: Vec<Turn>,
    /// As in [`Turns`]; empty where it was not measured to the end.
    pub cpu_busy: Vec<f64>,
    /// What was counted behind them; most triples count nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<TurnCount>,
    /// What could not be counted of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncounted: Vec<NotCounted>,
    /// Why it was not measured to the end; such a triple counts for nothing but the failure.
    pub failed: Option<String>,
}

/// One of the two builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSide {
    /// What the caller named: a revision, a binary or a manifest.
    pub name: String,
    /// How it was built, as far as that is known.
    pub build: Build,
}

/// What the gate says of one scenario, and of all together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum GateVerdict {
    /// Head is slower, in two measurements.
    Regression,
    /// Head is not slower by the threshold or more.
    Pass,
    /// It was measured and decides nothing.
    Undecided {
        /// Why.
        because: String,
        /// What would decide it.
        remedy: String,
    },
    /// Only head has it, so that there is nothing to compare.
    New {
        /// What base said.
        because: String,
    },
}

/// How one figure changed from base to head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricChange {
    /// `rate` or `processor_time`.
    pub metric: String,
    /// Unit of `base` and `head`.
    pub unit: String,
    /// Median over the blocks of base (both of each triple).
    pub base: f64,
    /// Median over the blocks of head.
    pub head: f64,
    /// How much slower head is, as a share: 0.05 is 5 % slower, negative is faster.
    pub slowdown: Interval,
    /// Why it was left out of the decision; `None` when it decides.
    pub left_out: Option<String>,
}

/// The outcome for one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRow {
    /// The scenario.
    pub scenario: ScenarioSpec,
    /// The implementation.
    pub implementation: ImplementationSpec,
    /// A slowdown of so much must be caught, as a share: 0.05 is 5 %.
    pub threshold: f64,
    /// What follows.
    pub verdict: GateVerdict,
    /// The figures, the most telling first.
    pub changes: Vec<MetricChange>,
    /// The figures of the confirming measurement; empty when there was none.
    pub confirming: Vec<MetricChange>,
    /// Seconds that its measurements took.
    pub wall_s: f64,
    /// Files with differential flame graphs, relative to the folder of the gate.
    pub graphs: Vec<String>,
}

/// What became of a counted figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum CountedState {
    /// Within the threshold.
    Same,
    /// Over it, in something whose count is not exact: worth a look, no failure.
    Warning,
    /// Over it, in a pure function: a failure.
    Regression,
    /// Only head has it.
    New,
    /// Only base has it.
    Gone,
    /// It could not be counted.
    NotCounted {
        /// Why, and what would allow it.
        because: String,
    },
}

/// A figure that is counted and not timed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountedChange {
    /// The function, or the implementation and its scenario.
    pub name: String,
    /// What is counted, such as `instructions` or `system calls an operation`.
    pub metric: String,
    /// In base; `None` when it has no such thing.
    pub base: Option<f64>,
    /// In head.
    pub head: Option<f64>,
    /// What follows.
    pub state: CountedState,
}

/// All that a gate found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// [`GATE_SCHEMA`].
    pub schema: u32,
    /// When it began, in seconds since 1970.
    pub began_at: u64,
    /// The older build.
    pub base: GateSide,
    /// The newer one.
    pub head: GateSide,
    /// How the builds differ besides their source, such as crates of their lock files.
    pub differences: Vec<String>,
    /// The machine.
    pub host: Host,
    /// Who ran where.
    pub placement: Placement,
    /// What follows of everything.
    pub verdict: GateVerdict,
    /// The scenarios in their order.
    pub rows: Vec<GateRow>,
    /// Counted figures.
    pub counted: Vec<CountedChange>,
    /// What a reader should know besides.
    pub warnings: Vec<String>,
}
