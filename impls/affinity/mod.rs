//! Sessions, by which a proxy keeps a client at its backend: the list.

mod ages;
mod dashmap;
mod form;
mod papaya;
mod read_first;
mod rwlock;
mod sharded;
mod table;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<rwlock::RwLock>::NEW,
        &Entry::<read_first::ReadFirst>::NEW,
        &Entry::<sharded::Sharded>::NEW,
        &Entry::<dashmap::DashMap>::NEW,
        &Entry::<papaya::Papaya>::NEW,
    ]
}
