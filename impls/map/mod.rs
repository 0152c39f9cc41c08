//! Maps that threads share: the list.

mod arc_swap;
mod bucketed;
mod dashmap;
mod left_right;
mod mutex;
mod papaya;
mod rwlock;
mod rwlock_parking_lot;
mod scc;
mod sharded;
mod work;

use ringside_contract::operations::InProcess;

pub(crate) use self::sharded::SHARDS;
use self::work::Entry;
pub(crate) use self::work::Hasher;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<mutex::Mutex>::NEW,
        &Entry::<rwlock::RwLock>::NEW,
        &Entry::<rwlock_parking_lot::RwLock>::NEW,
        &Entry::<sharded::Sharded>::NEW,
        &Entry::<dashmap::DashMap>::NEW,
        &Entry::<papaya::Papaya>::NEW,
        &Entry::<scc::Scc>::NEW,
        &Entry::<arc_swap::ArcSwap>::NEW,
        &Entry::<left_right::LeftRight>::NEW,
        &Entry::<bucketed::Bucketed>::NEW,
    ]
}
