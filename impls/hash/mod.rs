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

use ringside_contract::operations::InProcess;
use ringside_contract::{CountedFunction, Host, Settings, StartError, Support};

pub(crate) use self::work::NamedHash;
use self::work::{Entry, function};

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

/// Their names without the family, for axes of what hashes its keys.
pub(crate) const NAMES: &[&str] = &[
    "fnv1a",
    "siphash",
    "ahash",
    "xxh3",
    "rapidhash",
    "foldhash",
    "foldhash_quality",
    "gxhash",
    "crc32_doc",
    "crc32_fixed",
    "avx2_doc",
    "avx2_fixed",
];

/// What is built with a hash function, whichever it is.
pub(crate) trait Build {
    /// What comes of it.
    type Built;

    /// Builds it.
    fn build<H: NamedHash>(self, function: H) -> Self::Built;
}

/// Builds with the function of this name, one of [`NAMES`].
///
/// # Errors
/// There is no such function, or it was not built or needs what the processor has not.
pub(crate) fn build_with<B: Build>(name: &str, build: B) -> Result<B::Built, StartError> {
    match name {
        "fnv1a" => Ok(build.build(function::<fnv1a::Fnv1a>()?)),
        "siphash" => Ok(build.build(function::<siphash::SipHash>()?)),
        "ahash" => Ok(build.build(function::<ahash::AHash>()?)),
        "xxh3" => Ok(build.build(function::<xxh3::Xxh3>()?)),
        "rapidhash" => Ok(build.build(function::<rapidhash::RapidHash>()?)),
        "foldhash" => Ok(build.build(function::<foldhash::FoldHash>()?)),
        "foldhash_quality" => Ok(build.build(function::<foldhash_quality::FoldHash>()?)),
        "gxhash" => Ok(build.build(function::<gxhash::GxHash>()?)),
        "crc32_doc" => Ok(build.build(function::<crc32_doc::Crc32Doc>()?)),
        "crc32_fixed" => Ok(build.build(function::<crc32_fixed::Crc32Fixed>()?)),
        "avx2_doc" => Ok(build.build(function::<avx2_doc::Avx2Doc>()?)),
        "avx2_fixed" => Ok(build.build(function::<avx2_fixed::Avx2Fixed>()?)),
        _ => Err(StartError::Unsupported {
            reason: format!("there is no hash function `{name}`"),
        }),
    }
}

/// Whether the function of this name can be had on a host.
pub(crate) fn support(name: &str, host: &Host) -> Support {
    let mut all = all().iter();
    let found = all.find(|one| one.meta().id.strip_prefix("hash/") == Some(name));
    found.map_or_else(
        || Support::No {
            reason: format!("there is no hash function `{name}`"),
        },
        |one| one.support(host, &Settings::default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_a_function_and_builds_with_it() {
        struct Id;
        impl Build for Id {
            type Built = &'static str;
            fn build<H: NamedHash>(self, _: H) -> &'static str {
                H::META.id
            }
        }
        let ids: Vec<_> = all().iter().map(|one| one.meta().id).collect();
        let named: Vec<_> = NAMES.iter().map(|name| format!("hash/{name}")).collect();
        assert_eq!(ids, named);
        for name in NAMES {
            // What the processor or the build has not is said to be so.
            if let Ok(id) = build_with(name, Id) {
                assert_eq!(id, format!("hash/{name}"));
            }
        }
        assert!(build_with("md5", Id).is_err());
    }
}
