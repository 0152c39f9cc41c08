//! Scenarios of the mqtt family: messages through a broker.

pub(crate) mod churn;
mod client;
pub(crate) mod connect;
pub(crate) mod embedded;
pub(crate) mod fallback;
pub(crate) mod fan_in;
pub(crate) mod fan_out;
pub(crate) mod hold;
mod message;
pub(crate) mod pairs;
mod parameters;
mod publisher;
pub(crate) mod reconnect;
pub(crate) mod retained_flood;
pub(crate) mod slow_subscriber;
pub(crate) mod soak;
mod subscriber;
pub(crate) mod takeover_storm;
pub(crate) mod wills;
