//! Ways to share keys out among nodes: the list.

mod hashring;
mod jump;
mod maglev;
mod sorted;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<sorted::Sorted>::NEW,
        &Entry::<hashring::HashRing>::NEW,
        &Entry::<jump::Jump>::NEW,
        &Entry::<maglev::Maglev>::NEW,
    ]
}
