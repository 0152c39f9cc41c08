//! Scenarios of the http family: static files over HTTP/1.1.

pub(crate) mod connections;
mod file;
mod head;
pub(crate) mod large;
pub(crate) mod medium;
mod session;
pub(crate) mod short;
pub(crate) mod slow_reader;
pub(crate) mod small;
