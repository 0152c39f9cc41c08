//! The implementations of the mqtt family: the list.

mod broker;
mod core;
mod epoll;
mod message;
mod registry;
mod session;
mod uring;

use ringside_contract::Implementation;

pub use crate::core::Mqtt;

/// Every implementation of the family, in the order of the report.
pub fn all() -> &'static [&'static dyn Implementation] {
    &[&epoll::Epoll, &uring::Uring]
}
