//! Scenarios of pools.

pub(crate) mod buffers;
pub(crate) mod connections;
