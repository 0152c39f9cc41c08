//! Operations that are called in process: a worker process has the structure and the threads, and works when it is told
//! to over one connection, so that workers take turns like servers.
//!
//! ```text
//! generator: drive --orders--> worker process: serve -> crew -> a pinned thread each
//! ```

mod closed;
mod crew;
mod drive;
mod open;
mod orders;
mod program;
mod serve;
mod start;
mod turns;

pub(crate) use drive::drive;
pub use program::WorkerOrder;
pub use serve::{Cases, serve};
pub(crate) use turns::take_turns;

#[cfg(test)]
mod tests;
