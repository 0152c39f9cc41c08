//! Hash functions of 64 bits: the list.

mod ahash;
mod avx2_doc;
mod avx2_fixed;
mod counted;
mod crc32_doc;
mod crc32_fixed;
mod fnv1a;
mod foldhash;
mod foldhash_quality;
mod gxhash;
mod mixing;
mod rapidhash;
mod siphash;
mod table;
mod throughput;
mod work;
mod xxh3;

use ringside_contract::CountedFunction;
use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<fnv1a::Fnv1a>::NEW,
        &Entry::<siphash::SipHash>::NEW,
        &Entry::<ahash::AHash>::NEW,
        &Entry::<xxh3::Xxh3>::NEW,
        &Entry::<rapidhash::RapidHash>::NEW,
        &Entry::<foldhash::FoldHash>::NEW,
        &Entry::<foldhash_quality::FoldHash>::NEW,
        &Entry::<gxhash::GxHash>::NEW,
        &Entry::<crc32_doc::Crc32Doc>::NEW,
        &Entry::<crc32_fixed::Crc32Fixed>::NEW,
        &Entry::<avx2_doc::Avx2Doc>::NEW,
        &Entry::<avx2_fixed::Avx2Fixed>::NEW,
    ]
}

/// The functions whose instructions are counted.
pub(crate) fn counted() -> &'static [CountedFunction] {
    counted::FUNCTIONS
}
