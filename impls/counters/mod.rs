//! Counters that threads share: the list.

mod atomic;
mod mutex;
mod padded;
mod prometheus;
mod prometheus_int;
mod prometheus_middleware;
mod thread_local;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<mutex::Mutex>::NEW,
        &Entry::<atomic::Atomic>::NEW,
        &Entry::<padded::Padded>::NEW,
        &Entry::<thread_local::ThreadLocal>::NEW,
        &Entry::<prometheus::Prometheus>::NEW,
        &Entry::<prometheus_int::PrometheusInt>::NEW,
        &Entry::<prometheus_middleware::Middleware>::NEW,
    ]
}
