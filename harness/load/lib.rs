//! The load generator: raw epoll, one pinned thread for each processor it is given, no async runtime.
//!
//! [`drive`] carries out a scenario's load against a server that is already listening, reads both
//! sides' resources at the two ends of the measured window, and gives [`ringside_contract::Measures`].
//! [`take_turns`] loads several servers in turn and gives one [`ringside_contract::Turn`] for each turn.

mod connection;
mod counting;
mod driver;
mod edge;
mod error;
mod events;
mod in_process;
mod io;
mod latency;
mod options;
mod outcome;
mod pacing;
mod procfs;
mod schedule;
mod segment;
mod shared;
mod socket;
mod system;
mod tables;
mod tally;
mod turns;
mod watch;
mod worker;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use driver::drive;
pub use error::LoadError;
pub use in_process::{Cases, WorkerOrder, serve as serve_in_process};
pub use options::{DriveOptions, TurnOptions};
pub use turns::take_turns;
