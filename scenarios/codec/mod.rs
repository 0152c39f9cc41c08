//! Scenarios of codecs.

pub(crate) mod log_entry;
