//! Scenarios of maps that threads share.

pub(crate) mod mixed;
pub(crate) mod read;
mod task;
pub(crate) mod write;
