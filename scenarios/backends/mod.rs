//! Scenarios of the backends of a proxy.

pub(crate) mod pick;
