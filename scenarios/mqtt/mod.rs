//! Scenarios of the mqtt family: messages through a broker.

mod client;
mod message;
pub(crate) mod pairs;
mod publisher;
mod subscriber;
