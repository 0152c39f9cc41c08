//! Scenarios of the echo family: what is sent comes back.

pub(crate) mod large;
pub(crate) mod pipelined;
mod session;
pub(crate) mod small;
