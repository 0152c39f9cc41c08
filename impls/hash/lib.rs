//! The implementations of the hash family: the list.

mod core;
mod counted;
mod fnv1a;
mod siphash;
mod xxh3;

use ringside_contract::{CountedFunction, Implementation};

/// Every implementation of the family, in the order of the report.
pub fn all() -> &'static [&'static dyn Implementation] {
    &[&fnv1a::Fnv1a, &siphash::SipHash, &xxh3::Xxh3]
}

/// The pure functions of the family whose instructions are counted.
pub fn counted() -> &'static [CountedFunction] {
    counted::FUNCTIONS
}
