//! Events that every subscriber is told of: the list.

mod array_queue;
mod broadcast;
mod crossbeam;
mod flume;
mod queues;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<broadcast::Broadcast>::NEW,
        &Entry::<array_queue::Shared>::NEW,
        &Entry::<queues::Queues>::NEW,
        &Entry::<crossbeam::Channels>::NEW,
        &Entry::<flume::Channels>::NEW,
    ]
}
