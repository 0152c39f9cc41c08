//! Scenarios of the mqtt family: messages through a broker.

mod client;
pub(crate) mod fan_in;
pub(crate) mod fan_out;
mod message;
pub(crate) mod pairs;
mod parameters;
mod publisher;
mod subscriber;
