//! The gate: what follows from triples of two builds.
//!
//! ```text
//! TripleRecord --effect--> TripleEffect --look--> Decision --confirm--> GateVerdict --overall--^
//!                               ^--changes--> MetricChange, trials--> TrialSummary
//! TripleRecord --served_counts--> ServedCount --served_changes--> CountedChange --with_counted--> GateVerdict
//! ```

mod change;
mod counted;
mod decision;
mod effect;
mod proportion;
mod rule;
#[cfg(test)]
mod samples;
mod selftest;
mod served;
mod sign;

pub use change::changes;
pub use counted::{Exactness, counted_state, with_counted};
pub use decision::{Decision, confirm, overall};
pub use effect::{EffectError, GateMetric, MetricEffect, TripleEffect, effect};
pub use proportion::proportion_bounds;
pub use rule::{GateRule, ScenarioEffects, look};
pub use selftest::{TrialSummary, resampled, trials};
pub use served::{ServedCount, served_changes, served_counts};
pub use sign::{holm, sign_test};
