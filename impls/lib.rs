//! Implementations that are called in process: a folder for each family. Services, which are reached over a socket, are
//! crates of their own in the same folder.

mod counters;
mod hash;
mod map;
mod ring;
mod script;

use ringside_contract::CountedFunction;
use ringside_contract::operations::InProcess;

/// Every implementation, families together, in the order of the report.
pub fn all() -> Vec<&'static dyn InProcess> {
    [counters::all(), hash::all(), map::all(), ring::all()].concat()
}

/// The pure functions whose instructions are counted.
pub fn counted() -> &'static [CountedFunction] {
    hash::counted()
}
