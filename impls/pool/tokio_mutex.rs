//! A stack of connections behind tokio's lock, which tasks wait for without a thread: what document 004 calls the
//! traditional pool. As there, a task for each thread takes and gives back, and each of both waits for the lock.

use ringside_contract::operations::pool::{Connection, ConnectionHandle};
use ringside_contract::{ImplementationMeta, StartError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

use super::connections::{ConnectionPool, NamedConnections};
use super::locked::stack;

/// `pool/tokio_mutex`.
pub(crate) struct TokioMutex(Mutex<Vec<Connection>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/tokio_mutex",
    about: "A stack of connections behind one tokio::sync::Mutex, for which tasks wait, as the document has it.",
    axes: &[],
    ranked: true,
};

impl NamedConnections for TokioMutex {
    const META: &'static ImplementationMeta = &META;
}

impl ConnectionPool for TokioMutex {
    type Handle<'a> = Handle<'a>;

    fn new(most: u32) -> Result<Self, StartError> {
        Ok(Self(Mutex::new(stack(most))))
    }

    fn handle(&self) -> Handle<'_> {
        Handle {
            stack: &self.0,
            runtime: Builder::new_current_thread()
                .build()
                .expect("a runtime without drivers needs nothing of the system"),
        }
    }

    fn turns(handle: &mut Handle<'_>, count: u32) -> u32 {
        let stack = handle.stack;
        handle.runtime.block_on(async {
            let mut turns = 0;
            for _ in 0..count {
                let taken = stack.lock().await.pop();
                if let Some(mut connection) = taken {
                    turns += 1;
                    connection.uses += 1;
                    stack.lock().await.push(connection);
                }
            }
            turns
        })
    }
}

/// The lock, and what lets this thread wait for it.
pub(crate) struct Handle<'a> {
    stack: &'a Mutex<Vec<Connection>>,
    runtime: Runtime,
}

impl ConnectionHandle for Handle<'_> {
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
    fn a_task_that_gives_up_waiting_takes_nothing_along() {
        let pool = TokioMutex::new(1).unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let held = pool.0.lock().await;
            let mut waiting = Box::pin(pool.0.lock());
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
