//! Scenarios of the hash family: a worker hashes blocks of keys on command.

pub(crate) mod blocks;
mod session;
