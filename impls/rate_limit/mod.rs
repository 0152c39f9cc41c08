//! Limits of how much is done in a second: the list.

mod semaphore;
mod token_bucket;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<semaphore::Semaphore>::NEW,
        &Entry::<token_bucket::TokenBucket>::NEW,
    ]
}
