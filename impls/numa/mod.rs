//! Memory near the threads that work on it: the list. Each way decides where the memory of a thread comes from, and who
//! touches it first, which is when the system gives it a place.

mod allocator;
mod buffers;
mod default;
mod distance;
mod local;
mod place;
mod pool;
mod touch;
mod work;
mod workers;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<default::Default>::NEW,
        &Entry::<local::Local>::NEW,
        &Entry::<pool::Pool>::NEW,
        &Entry::<allocator::Allocator>::NEW,
        &Entry::<workers::Workers>::NEW,
    ]
}
