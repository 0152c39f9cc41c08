//! Scenarios of events.

pub(crate) mod fan;
