//! crossbeam's queue without locks: document 004's pool of connections, and document 003's pool of buffers of 4 KiB, of
//! which a larger one takes the place where it was asked for.

use crossbeam_queue as queue;
use ringside_contract::operations::pool::{
    BufferHandle, Connection, ConnectionHandle, PoolTask, TestedPool,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

use super::buffers::{self, BufferPool};
use super::connections::{self, ConnectionPool, stack};

/// `pool/array_queue`.
pub(crate) struct ArrayQueue;

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/array_queue",
    about: "crossbeam's ArrayQueue, as documents 003 and 004 have it: of connections, or of 1,000 buffers of 4 KiB.",
    axes: &[],
    ranked: true,
};

impl InProcess for ArrayQueue {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        match workload.task {
            Task::Pool(PoolTask::Buffers { .. }) => buffers::prepare::<Buffers>(workload),
            _ => connections::prepare(workload, Connections::new, Vec::new),
        }
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Pool(TestedPool {
            connections: Some(connections::tested::<Connections>),
            buffers: Some(buffers::tested::<Buffers>),
        }))
    }
}

/// A queue of connections.
pub(crate) struct Connections(queue::ArrayQueue<Connection>);

impl ConnectionPool for Connections {
    type Handle<'a> = &'a Self;

    fn new(most: u32) -> Result<Self, StartError> {
        let queue = queue::ArrayQueue::new(most.max(1) as usize);
        for connection in stack(most) {
            // There is room for all.
            let _ = queue.push(connection);
        }
        Ok(Self(queue))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl ConnectionHandle for &Connections {
    #[inline]
    fn take(&mut self) -> Option<Connection> {
        self.0.pop()
    }

    #[inline]
    fn put(&mut self, connection: Connection) {
        // There is room for all that were ever made.
        let _ = self.0.push(connection);
    }
}

/// A queue of buffers.
pub(crate) struct Buffers(queue::ArrayQueue<Vec<u8>>);

/// As document 003 has it.
const COUNT: usize = 1000;
const SIZE: usize = 4096;

impl BufferPool for Buffers {
    type Handle<'a> = &'a Self;

    fn new() -> Self {
        let queue = queue::ArrayQueue::new(COUNT);
        for _ in 0..COUNT {
            let _ = queue.push(Vec::with_capacity(SIZE));
        }
        Self(queue)
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl BufferHandle for &Buffers {
    #[inline]
    fn take(&mut self, size: usize) -> (Vec<u8>, bool) {
        let Some(mut buffer) = self.0.pop() else {
            return (Vec::with_capacity(size.max(SIZE)), false);
        };
        let had_room = buffer.capacity() >= size;
        buffer.reserve(size);
        (buffer, had_room)
    }

    #[inline]
    fn put(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        // What finds no room is freed.
        let _ = self.0.push(buffer);
    }
}
