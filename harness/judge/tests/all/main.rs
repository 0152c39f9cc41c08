//! What judge gives for records made by hand: one binary, so that it links once.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod common;
mod fairer;
mod formulas;
mod loads;
mod published;
mod quality;
mod reading;
mod verdicts;
mod whole;
