//! A stack of connections behind tokio's lock, which tasks wait for without a thread: what document 004 calls the
//! traditional pool. As there, tasks of one runtime take and give back, and each of both waits for the lock. The runtime
//! has a thread for each core, so that a task that gets the lock is mostly woken where it was.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use ringside_contract::operations::pool::{Connection, ConnectionHandle};
use ringside_contract::{ImplementationMeta, StartError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

use super::connections::{ConnectionPool, NamedConnections, stack};

/// `pool/tokio_mutex`.
pub(crate) struct TokioMutex {
    stack: Arc<Mutex<Vec<Connection>>>,
    runtime: Runtime,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/tokio_mutex",
    about: "A stack of connections behind one tokio::sync::Mutex, for which tasks wait, as the document has it; a task for each \
            thread of the load works on a runtime of as many threads as there are cores.",
    axes: &[],
    ranked: true,
};

impl NamedConnections for TokioMutex {
    const META: &'static ImplementationMeta = &META;
}

impl ConnectionPool for TokioMutex {
    type Handle<'a> = &'a Self;

    fn new(most: u32) -> Result<Self, StartError> {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let runtime = Builder::new_multi_thread().worker_threads(cores).build();
        Ok(Self {
            stack: Arc::new(Mutex::new(stack(most))),
            runtime: runtime.map_err(|source| StartError::Io {
                step: "start a runtime".to_owned(),
                source,
            })?,
        })
    }

    fn handle(&self) -> &Self {
        self
    }

    fn turns(handle: &mut &Self, count: u32) -> u32 {
        let stack = Arc::clone(&handle.stack);
        let task = handle.runtime.spawn(async move {
            let mut turns = 0;
            for _ in 0..count {
                let taken = stack.lock().await.pop();
                if let Some(mut connection) = taken {
                    turns += 1;
                    connection.uses += 1;
                    give_back(&stack, connection).await;
                }
            }
            turns
        });
        // A task that panicked has had no turns, which is told.
        handle.runtime.block_on(task).unwrap_or(0)
    }
}

/// A connection on its way back. A task that is cancelled while it waits for the lock leaves it to another one.
struct Returning {
    stack: Arc<Mutex<Vec<Connection>>>,
    connection: Option<Connection>,
}

async fn give_back(stack: &Arc<Mutex<Vec<Connection>>>, connection: Connection) {
    let mut returning = Returning {
        stack: Arc::clone(stack),
        connection: Some(connection),
    };
    let mut free = stack.lock().await;
    free.extend(returning.connection.take());
}

impl Drop for Returning {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match self.stack.try_lock() {
            Ok(mut free) => free.push(connection),
            // Only tasks of the runtime wait here, and it takes one more.
            Err(_) => {
                let stack = Arc::clone(&self.stack);
                tokio::spawn(async move { stack.lock().await.push(connection) });
            }
        }
    }
}

impl ConnectionHandle for &TokioMutex {
    fn take(&mut self) -> Option<Connection> {
        self.runtime.block_on(self.stack.lock()).pop()
    }

    fn put(&mut self, connection: Connection) {
        self.runtime.block_on(self.stack.lock()).push(connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_cancelled_on_the_way_back_loses_no_connection() {
        let pool = TokioMutex::new(1).unwrap();
        pool.runtime.block_on(async {
            let mut held = pool.stack.lock().await;
            let connection = held.pop().unwrap();
            let mut waiting = Box::pin(give_back(&pool.stack, connection));
            let polled = std::future::poll_fn(|context| {
                std::task::Poll::Ready(waiting.as_mut().poll(context).is_ready())
            });
            assert!(!polled.await, "the lock is held");
            drop(waiting);
            drop(held);
            // The lock is fair: whoever was left with the connection waits before this.
            while pool.stack.lock().await.is_empty() {
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(TokioMutex::turns(&mut pool.handle(), 3), 3);
    }

    #[test]
    fn a_task_that_gives_up_waiting_takes_nothing_along() {
        let pool = TokioMutex::new(1).unwrap();
        pool.runtime.block_on(async {
            let held = pool.stack.lock().await;
            let mut waiting = Box::pin(pool.stack.lock());
            let polled = std::future::poll_fn(|context| {
                std::task::Poll::Ready(waiting.as_mut().poll(context).is_ready())
            });
            assert!(!polled.await, "the lock is held");
            drop(waiting);
            drop(held);
        });
        assert_eq!(TokioMutex::turns(&mut pool.handle(), 3), 3);
    }
}
