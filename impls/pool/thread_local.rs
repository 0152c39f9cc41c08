//! A stack for each thread, which no other one sees; only what a thread lacks comes from what all share, and what it has
//! too much goes there.

use parking_lot::Mutex;
use ringside_contract::operations::pool::{
    BufferHandle, Connection, ConnectionHandle, PoolTask, TestedPool,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

use super::buffers::{self, BufferPool};
use super::connections::{self, ConnectionPool, stack};
use super::tiers::{TIERS, tier_of_capacity, tier_of_size};

/// `pool/thread_local`.
pub(crate) struct ThreadLocal;

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/thread_local",
    about: "A stack for each thread: a connection goes back to all where the thread has one already; of buffers it keeps 32 of each size.",
    axes: &[],
    ranked: true,
};

impl InProcess for ThreadLocal {
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

/// Connections that no thread has kept.
pub(crate) struct Connections(Mutex<Vec<Connection>>);

impl ConnectionPool for Connections {
    type Handle<'a> = Keeping<'a>;

    fn new(most: u32) -> Result<Self, StartError> {
        Ok(Self(Mutex::new(stack(most))))
    }

    fn handle(&self) -> Keeping<'_> {
        Keeping {
            shared: &self.0,
            kept: None,
        }
    }
}

/// A thread's own connection: one, so that threads together never keep more than there are of them.
pub(crate) struct Keeping<'a> {
    shared: &'a Mutex<Vec<Connection>>,
    kept: Option<Connection>,
}

impl ConnectionHandle for Keeping<'_> {
    #[inline]
    fn take(&mut self) -> Option<Connection> {
        self.kept.take().or_else(|| self.shared.lock().pop())
    }

    #[inline]
    fn put(&mut self, connection: Connection) {
        if let Some(before) = self.kept.replace(connection) {
            self.shared.lock().push(before);
        }
    }
}

impl Drop for Keeping<'_> {
    fn drop(&mut self) {
        self.shared.lock().extend(self.kept.take());
    }
}

/// Buffers are the threads' alone.
pub(crate) struct Buffers;

/// Of each size.
const KEPT: usize = 32;

impl BufferPool for Buffers {
    type Handle<'a> = Own;

    fn new() -> Self {
        Self
    }

    fn handle(&self) -> Own {
        Own {
            tiers: TIERS.map(|_| Vec::with_capacity(KEPT)),
        }
    }
}

/// A thread's own buffers.
pub(crate) struct Own {
    tiers: [Vec<Vec<u8>>; TIERS.len()],
}

impl BufferHandle for Own {
    #[inline]
    fn take(&mut self, size: usize) -> (Vec<u8>, bool) {
        let Some(tier) = tier_of_size(size) else {
            return (Vec::with_capacity(size), false);
        };
        match self.tiers[tier].pop() {
            Some(buffer) => (buffer, true),
            None => (Vec::with_capacity(TIERS[tier].size), false),
        }
    }

    #[inline]
    fn put(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if let Some(tier) = tier_of_capacity(buffer.capacity())
            && self.tiers[tier].len() < KEPT
        {
            self.tiers[tier].push(buffer);
        }
    }
}
