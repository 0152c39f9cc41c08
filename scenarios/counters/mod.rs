//! Scenarios of counters that threads share.

pub(crate) mod contended;
mod task;
pub(crate) mod uncontended;
