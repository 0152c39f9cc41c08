//! The tokio-uring engine, as documents recommend it: a runtime for each worker, which is a tokio
//! current-thread runtime that waits for its ring through epoll. It submits what its tasks asked for
//! once before each wait.
//!
//! The crate has no maintainer (last release 2024) and hangs with DEFER_TASKRUN, because it waits for
//! the ring's descriptor and never enters the kernel for completions; COOP_TASKRUN works.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::Shutdown;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::tokio_uring::buf::BoundedBuf;
use ::tokio_uring::net::{TcpListener, TcpStream};

use ringside_contract::{Counters, Host, Service, StartError, Support};
use ringside_metal::socket;

use crate::handover::{self, Handed, Listener, Table, Wire};
use crate::runtime::{self, Clock, LARGE_COPY, Setup, Worker};
use crate::{BodyMode, EngineOptions, Protocol, chunk, tokio_signal};

/// Submission entries: one read and one write for each connection that is served between two waits.
const SUBMISSIONS: u32 = 1024;

/// Completion entries: more connections may complete at once than are submitted at once.
const COMPLETIONS: u32 = 8192;

/// Files that a worker keeps in the runtime's own type.
const KEPT_FILES: usize = 16;

/// Whether it runs on this machine and can send bodies so.
pub fn support(host: &Host, body: BodyMode) -> Support {
    handover::support("tokio-uring", host, body)
}

/// Starts a runtime for each worker.
///
/// # Errors
/// The address, a processor or the ring was refused.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
) -> Result<Box<dyn Service>, StartError> {
    let (protocol, clock, body) = (Arc::new(protocol), Clock::start(), options.body);
    let setup = Setup {
        threads: options.serve.workers.max(1),
        blocking: true,
    };
    runtime::start(setup, options, move |worker| {
        let table = Table::new(Arc::clone(&protocol), clock, body);
        serve(&table, worker)
    })
}

fn serve<P: Protocol>(table: &Rc<Table<P, Stream>>, worker: &Worker<'_>) -> io::Result<Counters> {
    let mut ring = ::tokio_uring::uring_builder();
    ring.setup_cqsize(COMPLETIONS).setup_coop_taskrun();
    let mut builder = ::tokio_uring::builder();
    builder.entries(SUBMISSIONS).uring_builder(&ring);
    let ring_runtime = ::tokio_uring::Runtime::new(&builder)?;
    ring_runtime.block_on(async {
        let door = Door(TcpListener::from_std(worker.listener()));
        let stopped = tokio_signal::raised(worker.stop)?;
        worker.ready();
        handover::work(&door, table, stopped).await
    })
}

struct Door(TcpListener);

impl Listener for Door {
    type Wire = Stream;

    async fn accept(&self) -> io::Result<Stream> {
        self.0.accept().await.map(|(stream, _)| Stream(stream))
    }
}

struct Stream(TcpStream);

impl Wire for Stream {
    async fn receive(&self, buffer: Vec<u8>) -> Handed<usize> {
        let filled = buffer.len();
        let (result, slice) = self.0.read(buffer.slice(filled..)).await;
        (result, slice.into_inner())
    }

    async fn send(&self, buffer: Vec<u8>, part: Range<usize>) -> Handed<()> {
        if part.is_empty() {
            return (Ok(()), buffer);
        }
        let (result, slice) = self.0.write_all(buffer.slice(part)).await;
        (result, slice.into_inner())
    }

    /// The runtime takes owned buffers only, so shared memory is copied into one, part after part.
    async fn send_shared(&self, bytes: &Arc<[u8]>, part: Range<usize>) -> io::Result<()> {
        let mut buffer = chunk::take(LARGE_COPY);
        for piece in bytes[part].chunks(LARGE_COPY) {
            buffer[..piece.len()].copy_from_slice(piece);
            let (result, handed) = self.send(buffer, 0..piece.len()).await;
            buffer = handed;
            result?;
        }
        chunk::give_back(buffer);
        Ok(())
    }

    async fn read_file(
        file: &Arc<File>,
        offset: u64,
        buffer: Vec<u8>,
        part: Range<usize>,
    ) -> Handed<usize> {
        let file = match runtime_file(file) {
            Ok(file) => file,
            Err(error) => return (Err(error), buffer),
        };
        let (result, slice) = file.read_at(buffer.slice(part), offset).await;
        (result, slice.into_inner())
    }

    fn unacknowledged(&self) -> io::Result<u32> {
        socket::unacknowledged(&self.0)
    }

    fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    async fn sleep(time: Duration) {
        ::tokio::time::sleep(time).await;
    }

    fn spawn(task: impl Future<Output = ()> + 'static) {
        ::tokio_uring::spawn(task);
    }
}

/// A file that the core opened and the same one in the runtime's type.
type Twin = (Arc<File>, Rc<::tokio_uring::fs::File>);

thread_local! {
    static FILES: RefCell<Vec<Twin>> = const { RefCell::new(Vec::new()) };
}

/// The runtime owns its files, so the core's is duplicated, once while it is in use.
fn runtime_file(file: &Arc<File>) -> io::Result<Rc<::tokio_uring::fs::File>> {
    FILES.with_borrow_mut(|files| {
        if let Some((_, twin)) = files.iter().find(|(known, _)| Arc::ptr_eq(known, file)) {
            return Ok(Rc::clone(twin));
        }
        let twin = Rc::new(::tokio_uring::fs::File::from_std(file.try_clone()?));
        if files.len() == KEPT_FILES {
            files.remove(0);
        }
        files.push((Arc::clone(file), Rc::clone(&twin)));
        Ok(twin)
    })
}
