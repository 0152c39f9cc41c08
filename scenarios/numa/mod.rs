//! Scenarios of memory that is nearer to some processors than to others.

pub(crate) mod pool;
pub(crate) mod touch;
