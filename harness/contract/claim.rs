//! A documented performance claim: one line of `datasets/claims.csv`.

use serde::{Deserialize, Serialize};

use crate::{ImplementationSpec, ScenarioSpec, Settings};

/// What kind of sentence the claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Something that the document promises of a technique: Met or Missed.
    Promise,
    /// A limit that it says another technique has: Holds or Refuted.
    Limit,
    /// The state that it says an improvement started from.
    Before,
}

/// How the measured figure is held against the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// The candidate's figure is `low` or more.
    AtLeast,
    /// The candidate's figure is `high` or less.
    AtMost,
    /// The candidate's figure lies between the two.
    Range,
    /// candidate / baseline, for figures where more is better.
    Ratio,
    /// baseline / candidate, for figures where less is better.
    RatioTime,
    /// 1 - candidate / baseline.
    Reduction,
}

/// The seed of the claims that this project makes of itself: its goals, `datasets/goals.csv`.
pub const OWN_SEED: &str = "ringside";

/// One claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Unique name.
    pub id: String,
    /// The document that it comes from: a file under the seeds.
    pub seed: String,
    /// Sections of the document.
    pub section: String,
    /// What kind of sentence it is.
    pub role: Role,
    /// The scenario with the parameters that narrow it.
    pub scenario: ScenarioSpec,
    /// The metric, such as `throughput`.
    pub metric: String,
    /// The unit of the bounds, such as `ms`.
    pub unit: String,
    /// What it is compared with, for the comparing kinds.
    pub baseline: Option<ImplementationSpec>,
    /// Parameters of the scenario that are others for the baseline.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub baseline_params: Settings,
    /// What the claim is about.
    pub candidate: ImplementationSpec,
    /// How figure and bounds are compared.
    pub kind: ClaimKind,
    /// Lower bound.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// What the host must offer, such as `cores>=12`; any that is not there makes the claim NotHere.
    pub needs: Vec<String>,
    /// The sentence in English.
    pub statement: String,
}

impl Claim {
    /// True for a goal of this project, false for what a document says. Goals are judged like claims
    /// and never counted with them.
    pub fn is_goal(&self) -> bool {
        self.seed == OWN_SEED
    }

    /// The scenario in which the baseline is measured.
    pub fn baseline_scenario(&self) -> ScenarioSpec {
        let mut scenario = self.scenario.clone();
        for (key, value) in self.baseline_params.iter() {
            scenario.params.set(key, value);
        }
        scenario
    }
}
