//! Pools: connections and buffers that are used again.

use std::os::unix::net::UnixStream;

use serde::{Deserialize, Serialize};

/// What a pool of connections has, and one of buffers alone lacks.
pub const CONNECTIONS: &str = "connections";

/// What a pool of buffers has, and one of connections alone lacks.
pub const BUFFERS: &str = "buffers";

/// What is taken and given back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolTask {
    /// Connections: each operation takes one and gives it back.
    Connections {
        /// The most that there are, at least as many as threads.
        most: u32,
        /// So many operations are what `elapsed` is the time of.
        elapsed_operations: u32,
    },
    /// Buffers: each operation takes one, writes to each of its pages, and gives back the one that the thread has had
    /// longest.
    Buffers {
        /// How large.
        sizes: BufferSizes,
        /// Buffers that a thread has at a time.
        held: u32,
    },
}

/// How large buffers are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BufferSizes {
    /// Up to 1 KiB in 60 of 100 cases, 8 KiB in 30, 64 KiB in 9, 1 MiB in 1; not less than half of that.
    Mixed,
    /// All of so many bytes.
    Bytes(u32),
}

/// A connection of a pool.
#[derive(Debug)]
pub struct Connection {
    /// Its number, which no other one of the pool has.
    pub number: u32,
    /// How often it was used.
    pub uses: u64,
    /// Its socket, where the pool opens them itself; the others keep what only stands for one.
    pub stream: Option<UnixStream>,
    /// When it was given back, on a coarse clock in milliseconds.
    pub idle_since_ms: u64,
}

impl Connection {
    /// One that only stands for a connection.
    pub const fn stand_in(number: u32) -> Self {
        Self {
            number,
            uses: 0,
            stream: None,
            idle_since_ms: 0,
        }
    }
}

/// What a thread does with a pool of connections.
pub trait ConnectionHandle {
    /// One that nobody else has until it is given back; `None` where all are lent.
    fn take(&mut self) -> Option<Connection>;

    /// Gives one back.
    fn put(&mut self, connection: Connection);
}

/// A pool of connections behind a pointer, for conformance cases.
pub trait TestedConnections: Send + Sync {
    /// Has `act` use a connection, which is given back behind it, also when it panics. False where all are lent.
    fn with(&self, act: &mut dyn FnMut(&mut Connection)) -> bool;

    /// Has `act` use a handle as a thread has one for long, which is dropped behind it.
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn ConnectionHandle));

    /// The most that there are.
    fn most(&self) -> usize;
}

/// What a thread does with a pool of buffers.
pub trait BufferHandle {
    /// An empty one with room for `size` bytes, and whether the pool had it.
    fn take(&mut self, size: usize) -> (Vec<u8>, bool);

    /// Gives one back. What the pool has no room for is freed.
    fn put(&mut self, buffer: Vec<u8>);
}

/// A pool of buffers behind a pointer, for conformance cases.
pub trait TestedBuffers: Send + Sync {
    /// Has `act` use a handle, which is dropped behind it.
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn BufferHandle));
}

/// What a pool is of, for conformance cases: one of both at least.
#[derive(Default)]
pub struct TestedPool {
    /// Makes a pool of connections.
    pub connections: Option<fn(u32) -> Box<dyn TestedConnections>>,
    /// Makes a pool of buffers.
    pub buffers: Option<fn() -> Box<dyn TestedBuffers>>,
}
