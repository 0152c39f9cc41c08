//! Scenarios of sessions that keep clients at their backends.

pub(crate) mod lookup;
