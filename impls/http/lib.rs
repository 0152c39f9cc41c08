//! The implementations of the http family: the list.

mod auto;
mod blocking;
mod blocking_pool;
mod cache;
mod compio;
mod core;
mod counted;
mod epoll;
mod files;
mod floor;
mod limits;
mod per_core_epoll;
mod per_core_uring;
mod reply;
mod service;
mod tokio;
mod tokio_uring;
mod uring;
mod worker;

use ringside_contract::{CountedFunction, Implementation};

pub use self::core::{Connection, Http};
pub use self::limits::HttpLimits;

/// Every implementation of the family, in the order of the report.
pub fn all() -> &'static [&'static dyn Implementation] {
    &[
        &blocking::Blocking,
        &blocking_pool::BlockingPool,
        &epoll::Epoll,
        &tokio::Tokio,
        &uring::Uring,
        &tokio_uring::TokioUring,
        &compio::Compio,
        &per_core_epoll::PerCoreEpoll,
        &per_core_uring::PerCoreUring,
        &auto::Auto,
        &floor::Floor,
    ]
}

/// The pure functions of the family whose instructions are counted.
pub fn counted() -> &'static [CountedFunction] {
    counted::FUNCTIONS
}
