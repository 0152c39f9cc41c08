//! The compio engine: the maintained runtime on completions. A runtime with a ring of its own for
//! each worker; nothing is shared between workers.

use std::fs::File;
use std::io;
use std::net::Shutdown;
use std::ops::Range;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ::compio::BufResult;
use ::compio::buf::{IntoInner, IoBuf};
use ::compio::driver::op::ReadAt;
use ::compio::io::{AsyncRead, AsyncWrite};
use ::compio::net::{TcpListener, TcpStream};

use ::compio::driver::ProactorBuilder;
use ::compio::driver::op::{Interest, PollOnce};
use ::compio::runtime::RuntimeBuilder;
use ringside_contract::{Counters, Host, Service, StartError, Support, UringSupport};
use ringside_metal::socket;
use ringside_metal::uring_probe::DEFER_TASKRUN;

use crate::handover::{self, Handed, Listener, Table, Wire};
use crate::runtime::{self, Clock, Setup, Worker};
use crate::{BodyMode, EngineOptions, Protocol};

/// Submission entries: one read and one write for each connection that is served between two waits.
const SUBMISSIONS: u32 = 1024;

/// Completion entries: more connections may complete at once than are submitted at once.
const COMPLETIONS: u32 = 8192;

/// Whether it runs on this machine and can send bodies so.
pub fn support(host: &Host, body: BodyMode) -> Support {
    match &host.uring {
        UringSupport::Available { features }
            if !features.iter().any(|feature| feature == DEFER_TASKRUN) =>
        {
            Support::No {
                reason: format!("this kernel has no {DEFER_TASKRUN}, which needs Linux 6.1"),
            }
        }
        _ => handover::support("compio", host, body),
    }
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
    let mut proactor = ProactorBuilder::new();
    proactor
        .capacity(SUBMISSIONS)
        .cqsize(COMPLETIONS)
        .single_issuer(true)
        .defer_taskrun(true)
        .taskrun_flag(true);
    let runtime = RuntimeBuilder::new().with_proactor(proactor).build()?;
    runtime.block_on(async {
        let door = Door(TcpListener::from_std(worker.listener())?);
        let stop = worker.stop.as_fd().try_clone_to_owned()?;
        worker.ready();
        let stopped = async {
            let signal = PollOnce::new(stop, Interest::Readable);
            ::compio::runtime::submit(signal).await.0.map(drop)
        };
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
        let BufResult(result, slice) = (&self.0).read(buffer.slice(filled..)).await;
        (result, slice.into_inner())
    }

    async fn send(&self, mut buffer: Vec<u8>, mut part: Range<usize>) -> Handed<()> {
        while !part.is_empty() {
            let BufResult(result, slice) = (&self.0).write(buffer.slice(part.clone())).await;
            buffer = slice.into_inner();
            match result {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), buffer),
                Ok(sent) => part.start += sent,
                Err(error) => return (Err(error), buffer),
            }
        }
        (Ok(()), buffer)
    }

    async fn send_shared(&self, bytes: &Arc<[u8]>, mut part: Range<usize>) -> io::Result<()> {
        while !part.is_empty() {
            let slice = Arc::clone(bytes).slice(part.clone());
            match (&self.0).write(slice).await.0? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                sent => part.start += sent,
            }
        }
        Ok(())
    }

    async fn read_file(
        file: &Arc<File>,
        offset: u64,
        buffer: Vec<u8>,
        part: Range<usize>,
    ) -> Handed<usize> {
        // The operation itself instead of `compio::fs::File`, which would own the descriptor: the
        // core's file is shared. The buffer is filled already, so its length stays right.
        let operation = ReadAt::new(Arc::clone(file), offset, buffer.slice(part));
        let BufResult(result, operation) = ::compio::runtime::submit(operation).await;
        (result, operation.into_inner().into_inner())
    }

    fn unacknowledged(&self) -> io::Result<u32> {
        socket::unacknowledged(&self.0)
    }

    fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        socket::shutdown(&self.0, how);
        Ok(())
    }

    async fn sleep(time: Duration) {
        ::compio::time::sleep(time).await;
    }

    fn spawn(task: impl Future<Output = ()> + 'static) {
        ::compio::runtime::spawn(task).detach();
    }
}
