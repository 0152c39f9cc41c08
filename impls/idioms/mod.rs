//! Small things that can be written in two ways: the list. They come in pairs, and each pair is a scenario.

mod borrow;
mod bytes;
mod clone;
mod cow;
mod growing;
mod owned;
mod rayon;
mod sequential;
mod shared;
mod texts;
mod vec;
mod with_capacity;
mod work;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<clone::Clone>::NEW,
        &Entry::<borrow::Borrow>::NEW,
        &Entry::<owned::Owned>::NEW,
        &Entry::<cow::Cow>::NEW,
        &Entry::<growing::Growing>::NEW,
        &Entry::<with_capacity::WithCapacity>::NEW,
        &Entry::<vec::Vec>::NEW,
        &Entry::<bytes::Bytes>::NEW,
        &Entry::<sequential::Sequential>::NEW,
        &Entry::<rayon::Rayon>::NEW,
    ]
}
