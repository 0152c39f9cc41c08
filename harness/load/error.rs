//! Why a load could not be carried out.

use std::net::SocketAddr;

use ringside_contract::ParamError;
use thiserror::Error;

/// Why a load could not be carried out at all. What goes wrong with single operations is counted in
/// the measures instead.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The scenario refused its parameters.
    #[error("failed to make a load of the scenario's parameters")]
    Params(#[from] ParamError),
    /// The options or the scenario's load make no sense.
    #[error("failed to use the load's settings: {because}")]
    Settings {
        /// What is wrong and what would be right.
        because: String,
    },
    /// The load needs more connections than this process may have.
    #[error(
        "failed to open {wanted} connections: a process here may have {limit} open files, which leaves room \
         for {room} connections; raise `ulimit -n`, or give the scenario fewer connections"
    )]
    OpenFiles {
        /// Connections of the load.
        wanted: u32,
        /// The limit.
        limit: u64,
        /// Connections that fit.
        room: u32,
    },
    /// The target is another machine.
    #[error(
        "target {target} is not a loopback address: refused, so that no other machine is loaded by \
         mistake; give --allow-remote if you mean it"
    )]
    Remote {
        /// The target.
        target: SocketAddr,
    },
    /// Not one connection could be opened.
    #[error("failed to connect to {target}: {because}; is the server running?")]
    Connect {
        /// The first target.
        target: SocketAddr,
        /// The system's answers.
        because: String,
    },
    /// A worker process does not do what it is told.
    #[error("failed to have the worker at {target} work: {because}")]
    Worker {
        /// Where it listens.
        target: SocketAddr,
        /// What it said, or how it ended.
        because: String,
    },
    /// A system call that the generator itself needs failed.
    #[error("failed to {step}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A thread of the generator panicked: a mistake in this program or in a scenario.
    #[error("failed to finish: thread {thread} of the generator panicked: {message}")]
    Panicked {
        /// Its number, from 0.
        thread: usize,
        /// Its message.
        message: String,
    },
}

impl LoadError {
    /// An error of the system in a step that is named in the infinitive.
    pub(crate) fn io(step: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |source| Self::Io {
            step,
            source: source.into(),
        }
    }
}
