//! Scenarios of limits.

pub(crate) mod ask;
