//! What a load needs to know besides its scenario.

use std::net::SocketAddr;

use ringside_contract::BlockTiming;

/// How [`crate::drive`] carries out a load.
#[derive(Debug, Clone)]
pub struct DriveOptions {
    /// Where the server listens: one address, or several over which connections are spread in turn.
    pub targets: Vec<SocketAddr>,
    /// Seed of the random gaps and of the scenario's payloads.
    pub seed: u64,
    /// Lengths of the windows.
    pub timing: BlockTiming,
    /// Processors to load from, a thread pinned to each; empty for one thread that is not pinned.
    pub cpus: Vec<usize>,
    /// A process of the server: its whole process tree is watched. `None` leaves the server unwatched.
    pub watch: Option<u32>,
    /// Congestion control of the generator's sockets, such as `cubic`; `None` keeps the system's.
    pub congestion: Option<String>,
    /// Allows targets that are not loopback addresses.
    pub allow_remote: bool,
    /// Cores that the server may use: whether it was the limit is judged against them.
    pub server_cores: f64,
}
