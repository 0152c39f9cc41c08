//! The engines: event loops and thread models that drive any sans-I/O [`Protocol`].
//!
//! Each family names its engines in files of its own (`impls/<family>/<engine>.rs`), which declare
//! axes and call the loop of the same name here. So a technique is written once, and two families
//! never differ in it by accident.

pub mod auto;
mod bell;
pub mod blocking;
pub mod blocking_pool;
mod body;
mod chunk;
pub mod compio;
mod connection;
mod dialogue;
pub mod epoll;
mod floor;
pub mod floor_epoll;
pub mod floor_uring;
mod handover;
mod inbox;
mod listener;
mod options;
mod outbox;
pub mod per_core_epoll;
pub mod per_core_uring;
mod protocol;
mod runtime;
mod service;
mod slots;
mod stall;
mod sync;
pub mod tokio;
mod tokio_signal;
pub mod tokio_uring;
pub mod uring;

pub use body::BodyMode;
pub use floor::{FloorReply, Matcher};
pub use inbox::{Caller, Inbox};
pub use listener::{Listener, Listening, PerCoreListen};
pub use options::EngineOptions;
pub use protocol::{Body, Content, Delivery, Millis, Progress, Protocol, Step, Tick};
pub use ringside_metal::plant;
pub use service::{Stop, Workers, add_counters, io_error, panic_message};
