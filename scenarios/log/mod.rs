//! Scenarios of logs.

pub(crate) mod append;
