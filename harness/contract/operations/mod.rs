//! Operations: what is called in process and not over a socket. A worker process builds the structure and lets
//! pinned threads work on it when it is told to, so that workers take turns like servers.
//!
//! ```text
//! scenario -> Workload -> InProcess::prepare -> Prepared -> a Work for each thread -> run, run, ...
//! ```

pub mod affinity;
pub mod backends;
pub mod build;
pub mod codec;
pub mod counters;
pub mod events;
pub mod hash;
pub mod idioms;
pub mod log;
pub mod map;
pub mod numa;
pub mod pool;
pub mod rate_limit;
pub mod ring;

use serde::{Deserialize, Serialize};

use crate::{Host, ImplementationMeta, Settings, StartError, Support};

/// What a worker process is asked to do. A scenario makes it of its parameters, and knows no implementation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Threads that work at the same time, at least 1.
    pub threads: u32,
    /// Operations of one [`Work::run`] at most, at least 1: so many that reading the clock in between costs nothing.
    /// Where they take longer than a small part of a block, fewer are done in one.
    pub batch: u32,
    /// Everything that is random follows from it.
    pub seed: u64,
    /// What the operations are.
    pub task: Task,
}

impl Workload {
    /// Cores that are worked on at the same time, by the threads or by those that their operations have.
    pub fn cores(&self) -> u32 {
        match self.task {
            Task::Idioms(idioms::IdiomTask::Sum { cores, .. }) => self.threads.max(cores),
            _ => self.threads,
        }
    }
}

/// The operations of each family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "family")]
pub enum Task {
    /// Backends of clients.
    Affinity(affinity::AffinityTask),
    /// Backends that are well.
    Backends(backends::BackendTask),
    /// Loops that were built in several ways.
    Build(build::BuildTask),
    /// Entries of a log as bytes.
    Codec(codec::CodecTask),
    /// One more, in a counter that threads share.
    Counters(counters::CounterTask),
    /// Events for every subscriber.
    Events(events::EventTask),
    /// Hashes of keys.
    Hash(hash::HashTask),
    /// Small things that can be written in two ways.
    Idioms(idioms::IdiomTask),
    /// Entries that are on the disk before anybody is told so.
    Log(log::LogTask),
    /// Look-ups and changes of a map that threads share.
    Map(map::MapTask),
    /// Memory near the threads that work on it.
    Numa(numa::NumaTask),
    /// Connections and buffers that are used again.
    Pool(pool::PoolTask),
    /// Requests that ask whether they may go on.
    RateLimit(rate_limit::RateTask),
    /// Look-ups of the node of a key.
    Ring(ring::RingTask),
}

impl Task {
    /// The family whose operations these are.
    pub const fn family(&self) -> &'static str {
        match self {
            Self::Affinity(_) => "affinity",
            Self::Backends(_) => "backends",
            Self::Build(_) => "build",
            Self::Codec(_) => "codec",
            Self::Counters(_) => "counters",
            Self::Events(_) => "events",
            Self::Hash(_) => "hash",
            Self::Idioms(_) => "idioms",
            Self::Log(_) => "log",
            Self::Map(_) => "map",
            Self::Numa(_) => "numa",
            Self::Pool(_) => "pool",
            Self::RateLimit(_) => "rate_limit",
            Self::Ring(_) => "ring",
        }
    }

    /// What an implementation of the family may lack that they need, see [`InProcess::cannot`].
    pub const fn needs(&self) -> Option<&'static str> {
        match self {
            Self::Idioms(task) => Some(task.question()),
            Self::Numa(numa::NumaTask::Buffers { .. }) => Some(numa::LENDS),
            Self::Pool(pool::PoolTask::Connections { .. }) => Some(pool::CONNECTIONS),
            Self::Pool(pool::PoolTask::Buffers { .. }) => Some(pool::BUFFERS),
            _ => None,
        }
    }

    /// Why an implementation of another family does not do them.
    pub fn refused(&self) -> StartError {
        StartError::Unsupported {
            reason: format!("these are operations of {}", self.family()),
        }
    }
}

/// A program that was built in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltProgram {
    /// Its name among those of `just build-matrix`.
    pub name: &'static str,
    /// The architecture of the processors that run it; none where it was built for the one that is there.
    pub arch: Option<&'static str>,
}

/// One way to do the operations of a family. The value is stateless.
pub trait InProcess: Sync {
    /// Its name, technique and axes.
    fn meta(&self) -> &'static ImplementationMeta;

    /// What others of its family do and it does not, by the names of [`Task::needs`].
    fn cannot(&self) -> &'static [&'static str] {
        &[]
    }

    /// The program of its own that has to serve it, where it is a matter of how a program was built.
    fn program(&self) -> Option<BuiltProgram> {
        None
    }

    /// Whether it can run on `host` with these (resolved) axes. Pure: it only reads `host`.
    fn support(&self, host: &Host, axes: &Settings) -> Support {
        let _ = (host, axes);
        Support::Yes
    }

    /// Builds the structure and fills it. None of this is timed.
    ///
    /// # Errors
    /// [`StartError`]: another family's workload, or something that the system refuses.
    fn prepare(
        &self,
        axes: &Settings,
        workload: &Workload,
    ) -> Result<Box<dyn Prepared>, StartError>;

    /// The bare structure, for conformance cases.
    ///
    /// # Errors
    /// As for [`Self::prepare`].
    fn tested(&self, axes: &Settings) -> Result<Tested, StartError>;
}

/// A structure that is ready to be worked on.
pub trait Prepared: Send + Sync {
    /// What one thread needs; called on that thread.
    fn work(&self, thread: u32) -> Box<dyn Work + '_>;

    /// Why the work cannot go on, such as a disk that is full: nobody's answer was wrong, and there is no figure.
    fn stopped(&self) -> Option<String> {
        None
    }

    /// What went wrong in all that was done so far.
    ///
    /// # Errors
    /// What should have been, and what was.
    fn check(&self) -> Result<(), String>;

    /// Figures of the family's own, by the name of their metric.
    fn figures(&self) -> Vec<(String, f64)> {
        Vec::new()
    }
}

/// The work of one thread.
pub trait Work {
    /// Does `count` operations, from number `first` of the thread on. What it gives depends on each result, so that
    /// no compiler leaves an operation out.
    fn run(&mut self, first: u64, count: u32) -> u64;
}

/// The bare structures of each family.
pub enum Tested {
    /// Tables of sessions.
    Affinity(Box<dyn affinity::TestedAffinity>),
    /// Tables of backends.
    Backends(Box<dyn backends::TestedBackends>),
    /// Loops.
    Build(Box<dyn build::TestedBuild>),
    /// A codec.
    Codec(Box<dyn codec::TestedCodec>),
    /// A counter.
    Counter(Box<dyn counters::TestedCounter>),
    /// What carries events.
    Events(Box<dyn events::TestedEvents>),
    /// A hash function.
    Hash(Box<dyn hash::HashFunction>),
    /// One way to write something.
    Idiom(Box<dyn idioms::TestedIdiom>),
    /// A log.
    Log(Box<dyn log::TestedLog>),
    /// A map.
    Map(Box<dyn map::TestedMap>),
    /// A way to place memory.
    Numa(Box<dyn numa::TestedNuma>),
    /// Pools.
    Pool(pool::TestedPool),
    /// Limits.
    RateLimit(Box<dyn rate_limit::TestedRate>),
    /// A way to share keys out.
    Ring(Box<dyn ring::TestedRing>),
}
