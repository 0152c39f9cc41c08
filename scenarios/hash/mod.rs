//! Scenarios of hash functions.

pub(crate) mod lookup;
mod task;
pub(crate) mod throughput;
