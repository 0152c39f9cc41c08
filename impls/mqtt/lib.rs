//! The implementations of the mqtt family: the list.

mod aliases;
mod auto;
mod blocking;
mod blocking_pool;
mod broker;
mod compio;
mod core;
mod counted;
mod epoll;
mod floor;
mod in_flight;
mod journal;
mod memory;
mod message;
mod outgoing;
mod per_core_epoll;
mod per_core_uring;
mod registry;
mod relay;
mod retained;
mod served;
mod session;
mod settings;
mod spawned;
mod tokio;
mod tokio_uring;
mod uring;

use ringside_contract::{CountedFunction, Implementation};

pub use crate::core::Mqtt;
pub use crate::settings::BrokerSettings;

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
