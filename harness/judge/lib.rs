//! From records to verdicts: pure functions, the same on every system. Nothing here measures, reads a
//! clock or knows how a plan was run; the same records give the same verdicts, byte for byte.
//!
//! ```text
//! records.jsonl --read_records--> Records --judge--> Verdicts
//!  claims.csv   --read_claims-->  claims  --^
//! formulas.toml --read_formulas--> formulas -^
//! ```

mod cells;
mod claims;
mod compare;
mod contradictions;
mod controls;
mod doubt;
mod export;
mod fairer;
mod figure;
mod formula_tables;
mod formula_values;
mod formulas;
mod gate;
mod histogram;
mod index;
mod input;
mod interval;
mod judge;
mod latency;
mod lookup;
mod measure;
mod metrics;
mod needs;
mod neighbours;
mod pairing;
mod pooled;
mod presence;
mod random;
mod ranking;
mod records;
mod rules;
mod sound;
mod trust;
mod units;
mod verdict;

pub use claims::{ClaimsError, NameFault, is_metric, read_claims, read_claims_that};
pub use compare::{CellComparison, RunComparison, compare_runs};
pub use contradictions::contradictions;
pub use controls::coverage;
pub use doubt::doubt;
pub use export::csv_export;
pub use fairer::Fairer;
pub use formulas::{FormulasError, read_formulas};
pub use gate::{
    Decision, EffectError, Exactness, GateMetric, GateRule, MetricEffect, ScenarioEffects,
    ServedCount, TrialSummary, TripleEffect, changes, confirm, counted_state, effect, holm, look,
    overall, proportion_bounds, resampled, served_changes, served_counts, sign_test, trials,
    with_counted,
};
pub use input::{Families, JudgeInput, ScenarioInfo};
pub use interval::{NOMINAL_CONFIDENCE, SAMPLES_MIN, median_interval, ratio_interval};
pub use judge::judge;
pub use metrics::{Metric, MetricClass, metric, metrics};
pub use records::{Records, RecordsError, parse_records, read_records};
pub use units::convert;
