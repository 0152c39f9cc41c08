//! The implementations of the hash family: the list.

mod core;
mod fnv1a;
mod siphash;
mod xxh3;

use ringside_contract::Implementation;

/// Every implementation of the family, in the order of the report.
pub fn all() -> &'static [&'static dyn Implementation] {
    &[&fnv1a::Fnv1a, &siphash::SipHash, &xxh3::Xxh3]
}
