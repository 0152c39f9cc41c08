//! What all pools of connections have in common: what a thread does with one, and what has to hold of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::pool::{
    BUFFERS, Connection, ConnectionHandle, PoolTask, TestedConnections, TestedPool,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

/// A pool of connections.
pub(crate) trait ConnectionPool: Send + Sync + 'static {
    /// What one thread holds.
    type Handle<'a>: ConnectionHandle
    where
        Self: 'a;

    /// With so many connections at most.
    ///
    /// # Errors
    /// The system refused what it needs.
    fn new(most: u32) -> Result<Self, StartError>
    where
        Self: Sized;

    /// A handle for this thread.
    fn handle(&self) -> Self::Handle<'_>;

    /// Takes a connection, uses it and gives it back, so many times; gives how often there was one.
    fn turns(handle: &mut Self::Handle<'_>, count: u32) -> u32 {
        let mut turns = 0;
        for _ in 0..count {
            if let Some(mut connection) = handle.take() {
                turns += 1;
                connection.uses += 1;
                handle.put(connection);
            }
        }
        turns
    }
}

/// A pool of connections with its name.
pub(crate) trait NamedConnections: ConnectionPool {
    /// Name and technique.
    const META: &'static ImplementationMeta;
}

/// A line of the list, of what pools connections alone.
pub(crate) struct ConnectionEntry<C>(PhantomData<fn() -> C>);

impl<C> ConnectionEntry<C> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<C: NamedConnections> InProcess for ConnectionEntry<C> {
    fn meta(&self) -> &'static ImplementationMeta {
        C::META
    }

    fn cannot(&self) -> &'static [&'static str] {
        &[BUFFERS]
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        prepare(workload, C::new, Vec::new)
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Pool(TestedPool {
            connections: Some(tested::<C>),
            buffers: None,
        }))
    }
}

/// So many connections that only stand for some.
pub(super) fn stack(most: u32) -> Vec<Connection> {
    (0..most).map(Connection::stand_in).collect()
}

/// Makes work of a pool, with figures of its own.
pub(super) fn prepare<C: ConnectionPool>(
    workload: &Workload,
    new: impl FnOnce(u32) -> Result<C, StartError>,
    figures: impl FnOnce() -> Vec<(String, f64)>,
) -> Result<Box<dyn Prepared>, StartError> {
    let Task::Pool(PoolTask::Connections {
        most,
        elapsed_operations,
    }) = workload.task
    else {
        return Err(workload.task.refused());
    };
    let elapsed = f64::from(elapsed_operations);
    let mut figures = figures();
    figures.push(("elapsed_operations".to_owned(), elapsed));
    Ok(Box::new(Lending {
        pool: new(most.max(workload.threads))?,
        figures,
        refused: AtomicU64::new(0),
    }))
}

/// A pool for conformance cases.
pub(super) fn tested<C: ConnectionPool>(most: u32) -> Box<dyn TestedConnections> {
    let pool = C::new(most).expect("a pool of a few connections is always to be had");
    Box::new(Any { pool, most })
}

struct Any<C> {
    pool: C,
    most: u32,
}

impl<C: ConnectionPool> TestedConnections for Any<C> {
    fn with(&self, act: &mut dyn FnMut(&mut Connection)) -> bool {
        let mut handle = self.pool.handle();
        let Some(connection) = handle.take() else {
            return false;
        };
        let mut lent = Lent {
            connection: Some(connection),
            handle: &mut handle,
        };
        lent.connection.as_mut().map(act).is_some()
    }

    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn ConnectionHandle)) {
        act(&mut self.pool.handle());
    }

    fn most(&self) -> usize {
        self.most as usize
    }
}

/// A connection that goes back to its pool however its user ends.
struct Lent<'a, H: ConnectionHandle> {
    connection: Option<Connection>,
    handle: &'a mut H,
}

impl<H: ConnectionHandle> Drop for Lent<'_, H> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.handle.put(connection);
        }
    }
}

/// A pool that lends to threads.
struct Lending<C> {
    pool: C,
    figures: Vec<(String, f64)>,
    /// Operations that got no connection, of which there are as many as threads.
    refused: AtomicU64,
}

impl<C: ConnectionPool> Prepared for Lending<C> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread::<C> {
            handle: self.pool.handle(),
            refused: &self.refused,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.refused.load(Ordering::Relaxed) {
            0 => Ok(()),
            refused => Err(format!(
                "{refused} operations got no connection, though there is one for each thread"
            )),
        }
    }

    fn figures(&self) -> Vec<(String, f64)> {
        self.figures.clone()
    }
}

/// What one thread works with.
struct Thread<'a, C: ConnectionPool> {
    handle: C::Handle<'a>,
    refused: &'a AtomicU64,
}

impl<C: ConnectionPool> Work for Thread<'_, C> {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        let turns = C::turns(&mut self.handle, count);
        if turns < count {
            let refused = u64::from(count - turns);
            self.refused.fetch_add(refused, Ordering::Relaxed);
        }
        turns.into()
    }
}
