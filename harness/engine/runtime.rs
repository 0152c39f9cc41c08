//! What the engines on async runtimes (tokio, tokio_uring, compio) share besides the dialogue: threads
//! that each own a runtime, the clock, and counters.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::task::Poll;
use std::time::Duration;

use ringside_contract::{Counters, Endpoint, Service, StartError};
use ringside_metal::coarse_millis;

use crate::listener::{Listener, Listening};
use crate::service::{Stop, Workers, io_error};
use crate::{EngineOptions, Millis};

/// How often the core is asked whether a connection's time is up.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// How long a connection that was closed by the core may still send what is dropped.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// How long accepting pauses when descriptors or memory ran out. It has to be a wait: the connection
/// stays at the listener and would wake the loop at once.
pub(crate) const SHORTAGE: Duration = Duration::from_millis(50);

/// Parts in which files are copied that are too large for `body=memory`.
pub(crate) const LARGE_COPY: usize = 256 << 10;

/// Milliseconds since the service started, exact to a kernel tick (4 ms).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Millis,
}

impl Clock {
    /// Starts at 0.
    pub(crate) fn start() -> Self {
        Self {
            start: coarse_millis(),
        }
    }

    /// Milliseconds since the start.
    #[inline]
    pub(crate) fn now(self) -> Millis {
        coarse_millis() - self.start
    }
}

/// What was counted on a connection or by a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) accepted: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Times that accepting paused, since no descriptor or memory was left.
    pub(crate) accept_pauses: u64,
}

impl Totals {
    /// The counters of a service.
    pub(crate) fn counters(self) -> Counters {
        let named = [
            ("accepted", self.accepted),
            ("bytes_received", self.received),
            ("bytes_sent", self.sent),
            ("accept_pauses", self.accept_pauses),
        ];
        named.map(|(name, count)| (name.to_owned(), count)).into()
    }
}

/// What a thread that owns a runtime works with.
pub(crate) struct Worker<'a> {
    /// Raised when it is to end.
    pub(crate) stop: &'a Stop,
    listener: Cell<Option<OwnedFd>>,
    ready: Cell<Option<SyncSender<io::Result<()>>>>,
}

impl Worker<'_> {
    /// Its listener.
    ///
    /// # Panics
    /// When it is taken twice, a mistake of the engine.
    pub(crate) fn listener(&self) -> TcpListener {
        self.listener
            .take()
            .expect("an engine takes its listener once")
            .into()
    }

    /// Says that the runtime stands.
    pub(crate) fn ready(&self) {
        if let Some(ready) = self.ready.take() {
            // The starter waits for exactly this message.
            let _ = ready.send(Ok(()));
        }
    }
}

/// How the threads of an engine are set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Threads; with more than one, each has a listener on the same port (`SO_REUSEPORT`).
    pub(crate) threads: usize,
    /// Whether the runtime wants listeners that block: a ring does, since `accept` of one that does
    /// not fails at once.
    pub(crate) blocking: bool,
}

/// Starts the threads and returns when all runtimes stand. `run` serves until its worker is stopped;
/// an error before [`Worker::ready`] is an error of the start.
pub(crate) fn start<R>(
    setup: Setup,
    options: &EngineOptions,
    run: R,
) -> Result<Box<dyn Service>, StartError>
where
    R: Fn(&Worker<'_>) -> io::Result<Counters> + Clone + Send + 'static,
{
    let listeners = listen(setup, options)?;
    let address = listeners[0].address();
    let workers_count = options.serve.workers.max(1);
    let endpoint = Endpoint {
        addresses: vec![address],
        workers: workers_count,
        chosen: String::new(),
    };
    let mut workers = Workers::new()?;
    let mut pending = Vec::with_capacity(setup.threads);
    for (index, listener) in listeners.into_iter().enumerate() {
        let (ready, readiness) = sync_channel(1);
        let run = run.clone();
        let cpus = match options.cpu(index) {
            Some(cpu) if setup.threads > 1 || workers_count == 1 => vec![cpu],
            _ => options.serve.cpus.clone(),
        };
        workers.spawn(&cpus, move |stop| own(&run, stop, listener, ready))?;
        pending.push(readiness);
    }
    for (index, readiness) in pending.iter().enumerate() {
        await_ready(index, readiness)?;
    }
    Ok(workers.into_service(endpoint))
}

fn listen(setup: Setup, options: &EngineOptions) -> Result<Vec<Listener>, StartError> {
    let how = Listening {
        shared: setup.threads > 1,
        blocking: setup.blocking,
    };
    let first = Listener::open(options.serve.listen, how, &options.serve)?;
    let address = first.address();
    let mut listeners = vec![first];
    for _ in 1..setup.threads {
        listeners.push(Listener::open(address, how, &options.serve)?);
    }
    Ok(listeners)
}

/// The life of a thread that owns a runtime.
fn own(
    run: &impl Fn(&Worker<'_>) -> io::Result<Counters>,
    stop: &Stop,
    listener: Listener,
    ready: SyncSender<io::Result<()>>,
) -> io::Result<Counters> {
    let listener = Cell::new(Some(OwnedFd::from(listener)));
    let worker = Worker {
        stop,
        listener,
        ready: Cell::new(Some(ready)),
    };
    let ended = run(&worker);
    match (worker.ready.take(), ended) {
        (Some(ready), Err(error)) => {
            let _ = ready.send(Err(error));
            Ok(Counters::new())
        }
        (_, ended) => ended,
    }
}

fn await_ready(index: usize, readiness: &Receiver<io::Result<()>>) -> Result<(), StartError> {
    let step = format!("set up the runtime of worker {index}");
    let answer = readiness
        .recv()
        .map_err(|_| io_error(&step, io::ErrorKind::Other.into()))?;
    answer.map_err(|source| match source.raw_os_error() {
        Some(NOT_PERMITTED | NO_SUCH_CALL) => StartError::Unsupported {
            reason: format!(
                "io_uring is refused ({source}): a seccomp filter, such as the one of containers, or \
                 the setting kernel.io_uring_disabled; `ringside doctor` says more"
            ),
        },
        _ => io_error(&step, source),
    })
}

/// `EPERM` and `ENOSYS` on Linux: the answers of kernels and filters that refuse a ring.
const NOT_PERMITTED: i32 = 1;
const NO_SUCH_CALL: i32 = 38;

/// Runs `work` until it ends, or gives `None` as soon as `stopped` ends.
pub(crate) async fn until<T>(
    stopped: impl Future<Output = io::Result<()>>,
    work: impl Future<Output = T>,
) -> io::Result<Option<T>> {
    let mut stopped = pin!(stopped);
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(stopped) = stopped.as_mut().poll(context) {
            return Poll::Ready(stopped.map(|()| None));
        }
        work.as_mut().poll(context).map(|value| Ok(Some(value)))
    })
    .await
}

/// True for errors of `accept` that concern only the connection that would have come. After any other
/// accepting pauses for [`SHORTAGE`], since it would come again at once.
pub(crate) fn concerns_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | WouldBlock
    )
}
