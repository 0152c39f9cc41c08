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

/// How turns are taken.
#[derive(Debug, Clone)]
pub struct TurnOptions {
    /// Where each server listens, and a process of it.
    pub servers: Vec<(SocketAddr, u32)>,
    /// The servers' places in the order of their turns, for each round.
    pub order: Vec<Vec<usize>>,
    /// Length of the dropped beginning of a turn (`warmup_ms`) and of its measured part (`measure_ms`), and that of the
    /// turns behind all others in which each server is counted (`count_ms`; 0 for none).
    pub timing: BlockTiming,
    /// Seed of the scenario's payloads, the same for all servers.
    pub seed: u64,
    /// Processors to load from, a thread for each.
    pub cpus: Vec<usize>,
    /// Congestion control of the generator's sockets.
    pub congestion: Option<String>,
    /// Allows targets that are not loopback addresses.
    pub allow_remote: bool,
}

impl TurnOptions {
    /// The options of one server.
    pub(crate) fn of(&self, number: usize) -> DriveOptions {
        let (target, process) = self.servers[number];
        DriveOptions {
            targets: vec![target],
            seed: self.seed,
            timing: self.timing,
            cpus: self.cpus.clone(),
            watch: Some(process),
            congestion: self.congestion.clone(),
            allow_remote: self.allow_remote,
            server_cores: 1.0,
        }
    }
}
