//! Logs, whose entries are on the disk before anybody is told so: the list.

mod format;
mod o_direct;
mod okaywal;
mod place;
mod preallocated;
mod std;
mod tokio_fs;
mod uring;
mod work;
mod writer;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<std::Std>::NEW,
        &Entry::<preallocated::Preallocated>::NEW,
        &Entry::<o_direct::Direct>::NEW,
        &Entry::<uring::Uring>::NEW,
        &Entry::<tokio_fs::TokioFs>::NEW,
        &Entry::<okaywal::OkayWal>::NEW,
    ]
}
