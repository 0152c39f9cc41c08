//! Scenarios of builds.

pub(crate) mod codegen;
