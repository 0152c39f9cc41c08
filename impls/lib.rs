//! Implementations that are called in process: a folder for each family. Services, which are reached over a socket, are
//! crates of their own in the same folder.

mod affinity;
mod alone;
mod backends;
mod build;
mod codec;
mod counted;
mod counters;
mod events;
mod frame;
mod hash;
mod idioms;
mod log;
mod map;
mod numa;
mod pool;
mod rate_limit;
mod ring;
mod script;

use ringside_contract::CountedFunction;
use ringside_contract::operations::InProcess;

/// Every implementation, families together, in the order of the report.
pub fn all() -> Vec<&'static dyn InProcess> {
    [
        affinity::all(),
        backends::all(),
        build::all(),
        codec::all(),
        counters::all(),
        events::all(),
        hash::all(),
        idioms::all(),
        log::all(),
        map::all(),
        numa::all(),
        pool::all(),
        rate_limit::all(),
        ring::all(),
    ]
    .concat()
}

/// Those that are a matter of how a program was built, and have a program each.
pub fn builds() -> &'static [&'static dyn InProcess] {
    build::all()
}

/// The pure functions whose instructions are counted.
pub fn counted() -> impl Iterator<Item = &'static CountedFunction> {
    hash::counted().iter().chain(counted::FUNCTIONS)
}
