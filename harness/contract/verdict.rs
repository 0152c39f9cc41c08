//! What `judge` concludes and `report` shows. A page is a pure function of one [`Verdicts`] document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Build, Claim, FormulaTable, Host, ImplementationSpec, Limit, Placement, Role, ScenarioSpec,
    Settings,
};

/// An interval for a median, from order statistics over process pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower bound.
    pub low: f64,
    /// The median.
    pub point: f64,
    /// Upper bound.
    pub high: f64,
    /// The coverage that the order statistics guarantee, such as 0.992; 0 when there were too few
    /// samples for any interval, and the bounds are the extremes.
    pub confidence: f64,
    /// Process pairs behind it; of an absolute figure, processes.
    pub samples: u32,
}

/// What the measurements say of a claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// The whole interval is on the promised side.
    Met {
        /// Relative distance of the interval's nearer end from the bound.
        margin: f64,
        /// True when the figure is beyond the upper bound too.
        exceeds: bool,
    },
    /// The whole interval is on the other side.
    Missed {
        /// Relative distance of the interval's nearer end from the bound.
        shortfall: f64,
    },
    /// Measured, but it does not decide.
    Undecided {
        /// Why.
        because: String,
    },
    /// This host cannot decide it.
    NotHere {
        /// What it would need.
        needs: String,
    },
    /// Not in this run.
    NotRun {
        /// Why not.
        because: String,
    },
    /// The implementation gave wrong answers.
    Disqualified {
        /// The proof.
        because: String,
    },
}

impl SelfControl {
    /// True when the interval holds 1, as it should.
    pub fn holds_one(&self) -> bool {
        self.ratio.low <= 1.0 && 1.0 <= self.ratio.high
    }

    /// Width of the interval relative to its median, as a share: 0.04 is 4 %.
    pub fn width(&self) -> f64 {
        (self.ratio.high - self.ratio.low) / self.ratio.point
    }
}

impl Verdict {
    /// The word for a reader: a limit Holds or is Refuted where a promise is Met or Missed.
    pub fn word(&self, role: Role) -> &'static str {
        let limit = role == Role::Limit;
        match self {
            Self::Met { .. } if limit => "Holds",
            Self::Met { exceeds: true, .. } => "Met, exceeds",
            Self::Met { .. } => "Met",
            Self::Missed { .. } if limit => "Refuted",
            Self::Missed { .. } => "Missed",
            Self::Undecided { .. } => "Undecided",
            Self::NotHere { .. } => "Not here",
            Self::NotRun { .. } => "Not run",
            Self::Disqualified { .. } => "Disqualified",
        }
    }
}

/// A claim with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The claim.
    pub claim: Claim,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The measured figure in the claim's unit, with its interval, when there is one.
    pub measured: Option<Interval>,
    /// What a reader should know besides, such as a fairer baseline.
    pub notes: Vec<String>,
}

/// One metric of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// Its unit.
    pub unit: String,
    /// True when more is better.
    pub more_is_better: bool,
    /// Its median with interval over the rounds.
    pub interval: Interval,
}

/// A point of the percentile curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Percentile, 0 to 100.
    pub percentile: f64,
    /// Latency at it, from the merged histogram, in microseconds.
    pub latency_us: f64,
    /// Lowest of the rounds.
    pub low_us: f64,
    /// Highest of the rounds.
    pub high_us: f64,
}

/// A point of the curve of latency against offered rate (medians over rounds).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SweepPoint {
    /// Operations a second offered.
    pub offered_per_s: f64,
    /// Operations a second completed.
    pub achieved_per_s: f64,
    /// Median latency in microseconds.
    pub p50_us: f64,
    /// 99th percentile in microseconds.
    pub p99_us: f64,
    /// Share of late sends.
    pub late_share: f64,
    /// True when in half of the rounds or more the generator could offer no more: what the step did not
    /// complete says nothing of the server.
    #[serde(default)]
    pub generator_limited: bool,
}

/// All rounds of one cell, summarised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellSummary {
    /// The scenario, canonical.
    pub scenario: ScenarioSpec,
    /// The implementation, canonical.
    pub implementation: ImplementationSpec,
    /// False for a floor.
    pub ranked: bool,
    /// Name and version of the outside program, if it is one.
    pub program: Option<String>,
    /// `closed`, `open` or `sweep`.
    pub load: String,
    /// Every parameter of the scenario, with those that have their usual value.
    #[serde(default)]
    pub params: Settings,
    /// Rounds that were measured.
    pub rounds: u32,
    /// Rounds that failed, with the reasons.
    pub failures: Vec<String>,
    /// Why its figures must not be used; `None` when they may.
    pub invalid: Option<String>,
    /// Who else had its cores, so that its rates and times are not its own; `None` when nobody had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
    /// What limited most of its rounds.
    pub limited_by: Option<Limit>,
    /// Every metric by name.
    pub metrics: BTreeMap<String, MetricSummary>,
    /// Percentile curve from the merged histograms; empty without latency.
    pub curve: Vec<CurvePoint>,
    /// Latency against offered rate; empty unless the load is a sweep.
    pub sweep: Vec<SweepPoint>,
    /// Warnings of its records, each once.
    pub warnings: Vec<String>,
}

/// How a cell stands in a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mark")]
pub enum Mark {
    /// The best figure; it is ahead of those that are marked as behind, and of no others.
    Best,
    /// As good as the best: the whole interval of their ratio lies within 5 % of 1.
    Level,
    /// Behind the best, decided by the interval.
    Behind,
    /// Not told apart from the best, because the interval is too wide, the rounds were too few or the
    /// figure is only a bound: its figure stands, no comparison does.
    Undecided {
        /// The interval, or how many rounds there were.
        because: String,
    },
    /// The limit: shown, never ranked.
    Floor,
    /// Measured, not usable.
    Invalid {
        /// Why.
        because: String,
    },
    /// Not supported here or not installed.
    Unsupported {
        /// Why.
        reason: String,
    },
}

/// One implementation of a ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankedCell {
    /// The implementation, canonical.
    pub implementation: ImplementationSpec,
    /// How it stands.
    #[serde(flatten)]
    pub mark: Mark,
    /// Times as good as the best, paired by round: 1 is level, 0.5 is half as good.
    pub relative: Option<Interval>,
    /// Its own figure.
    pub figure: Option<Interval>,
    /// True when the figure is only a bound: the implementation may be better than it, such as where the
    /// server was not saturated.
    #[serde(default)]
    pub bound: bool,
}

/// Implementations of one scenario, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// The scenario, canonical.
    pub scenario: ScenarioSpec,
    /// The question that it answers.
    pub question: String,
    /// The metric that ranks.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// The implementations, best first.
    pub cells: Vec<RankedCell>,
}

/// An implementation against itself: how far two equal things seem apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfControl {
    /// The scenario.
    pub scenario: ScenarioSpec,
    /// The implementation.
    pub implementation: ImplementationSpec,
    /// The metric.
    pub metric: String,
    /// Ratio of the second copy to the first, paired by round.
    pub ratio: Interval,
    /// Resampled trials in which a nominal interval held 1, of 100; the pairs behind are those of
    /// `ratio`. `None` when they are too few for one trial.
    pub coverage: Option<f64>,
    /// Why the figures of the two copies are not what a verdict rests on, such as a generator that was
    /// their limit; `None` when nothing is against them.
    #[serde(default)]
    pub doubt: Option<String>,
}

/// Whether something that a reader relies on was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It was so.
    Ok,
    /// It was not quite so: read the sentence.
    Warning,
}

/// One sentence of "can I trust this run".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Whether it was so.
    pub state: CheckState,
    /// The sentence, with its figures.
    pub sentence: String,
}

/// Two claims of a document that cannot both be true, or a claim that its own document contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The claims' ids.
    pub claims: Vec<String>,
    /// What stands against what.
    pub sentence: String,
}

/// A cell of the plan that was not measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The cell: scenario and implementation.
    pub cell: String,
    /// Why, and what would change it.
    pub reason: String,
}

/// The run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Name of the run.
    pub run: String,
    /// Name of the plan.
    pub plan: String,
    /// When it began, in seconds since 1970-01-01 UTC.
    pub began_at: u64,
    /// When its last block began.
    pub ended_at: u64,
    /// Records read.
    pub records: u32,
    /// How the binary was built.
    pub build: Build,
    /// The machine.
    pub host: Host,
    /// Processors of each role.
    pub placement: Placement,
    /// Seed.
    pub seed: u64,
    /// What every server was asked to do.
    pub aligned: Settings,
    /// Commands that repeat it.
    pub repeat: Vec<String>,
}

/// Everything that a report shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// [`crate::SCHEMA`].
    pub schema: u32,
    /// The run.
    pub run: RunSummary,
    /// Every claim, in the order of the file.
    pub judgements: Vec<Judgement>,
    /// Contradictions among the documents.
    pub contradictions: Vec<Contradiction>,
    /// Rankings, in the order of the plan.
    pub rankings: Vec<Ranking>,
    /// Cells, in the order of the plan.
    pub cells: Vec<CellSummary>,
    /// Implementations against themselves.
    pub controls: Vec<SelfControl>,
    /// What a reader relies on.
    pub trust: Vec<Check>,
    /// Cells that were not measured.
    pub skipped: Vec<Skipped>,
    /// Formulas of the documents that the run has figures for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formulas: Vec<FormulaTable>,
}
