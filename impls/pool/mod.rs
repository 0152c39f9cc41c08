//! Pools of connections and of buffers: the list. Two techniques are there for both.

mod allocator;
mod array_queue;
mod buffers;
mod connections;
mod mutex;
mod parking_lot;
mod progressive;
mod progressive_backend;
mod thread_local;
mod tiered;
mod tiers;
mod tokio_mutex;

use ringside_contract::operations::InProcess;

use self::buffers::BufferEntry;
use self::connections::ConnectionEntry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &ConnectionEntry::<tokio_mutex::TokioMutex>::NEW,
        &ConnectionEntry::<mutex::Mutex>::NEW,
        &ConnectionEntry::<parking_lot::ParkingLot>::NEW,
        &array_queue::ArrayQueue,
        &thread_local::ThreadLocal,
        &progressive::Progressive,
        &BufferEntry::<allocator::Allocator>::NEW,
        &BufferEntry::<tiered::Tiered>::NEW,
    ]
}
