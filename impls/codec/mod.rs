//! Entries of a replicated log as bytes: the list.

mod bincode;
mod prost;
mod rkyv;
mod work;
mod zero_copy;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<bincode::Bincode>::NEW,
        &zero_copy::ZeroCopy,
        &Entry::<rkyv::Rkyv>::NEW,
        &Entry::<prost::Prost>::NEW,
    ]
}
