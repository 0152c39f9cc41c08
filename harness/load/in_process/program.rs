//! What a worker that is a program of its own is told when it is started, as its only argument, in JSON.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Which operations to serve, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerOrder {
    /// The implementation's id.
    pub id: String,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Threads that it may be asked for.
    pub workers: usize,
    /// Processors of its threads.
    pub cpus: Vec<usize>,
    /// The commit that it has to be built from, so that both speak the same language.
    pub commit: String,
}
