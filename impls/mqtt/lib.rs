//! The implementations of the mqtt family: the list.

mod auto;
mod blocking;
mod broker;
mod core;
mod epoll;
mod in_flight;
mod message;
mod per_core_epoll;
mod per_core_uring;
mod registry;
mod session;
mod tokio;
mod uring;

use ringside_contract::Implementation;

pub use crate::core::Mqtt;

/// Every implementation of the family, in the order of the report.
pub fn all() -> &'static [&'static dyn Implementation] {
    &[
        &blocking::Blocking,
        &epoll::Epoll,
        &tokio::Tokio,
        &uring::Uring,
        &per_core_epoll::PerCoreEpoll,
        &per_core_uring::PerCoreUring,
        &auto::Auto,
    ]
}
