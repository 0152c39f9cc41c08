//! Scenarios of consistent hashing.

pub(crate) mod lookup;
