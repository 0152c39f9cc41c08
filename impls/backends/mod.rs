//! The backends of a proxy, of which one that is well gets the next request: the list.

mod filter;
mod index;
mod packed;
mod snapshot;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<filter::Filter>::NEW,
        &Entry::<index::Index>::NEW,
        &Entry::<snapshot::Snapshot>::NEW,
        &Entry::<packed::Packed>::NEW,
    ]
}
