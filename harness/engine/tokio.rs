//! The tokio engine: a task for each connection on tokio's own scheduler. With one worker it is the
//! current-thread runtime, which needs no atomic hand-over of tasks; with more it is the multi-thread
//! runtime, whose workers steal tasks from each other.
//!
//! Files are read with `pread` on the worker: these are reads of the page cache, and moving them to
//! tokio's blocking pool (as `tokio::fs` does) costs two thread switches for each part.

use std::convert::Infallible;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use ::tokio::net::{TcpListener, TcpStream};
use ::tokio::runtime::{Builder, Runtime};
use ::tokio::time::{Instant, Interval, MissedTickBehavior};
use ringside_contract::{Counters, Host, Service, StartError, Support};
use ringside_metal::transfer::{self, Mapping};
use ringside_metal::{affinity, socket};

use crate::bell::Bell;
use crate::dialogue::{Dialogue, Next, memory_range};
use crate::outbox::hold_promise;
use crate::runtime::{
    self, Clock, LARGE_COPY, LINGER, SHORTAGE, Setup, TICK, Totals, Worker, concerns_one_peer,
    until,
};
use crate::stall::Watch;
use crate::tokio_signal::raised;
use crate::{Body, BodyMode, Content, Delivery, EngineOptions, Protocol, Tick, chunk};

/// How long stopping waits for tasks to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The most that one `sendfile` or one `send` from a mapping is asked for: as much as a socket's
/// buffer holds, so that a worker comes back to its other connections.
const PAGES: u64 = 1 << 20;

/// Whether it can send bodies so; it runs on any machine.
pub fn support(_host: &Host, body: BodyMode) -> Support {
    let because = match body {
        BodyMode::Memory | BodyMode::Copy { .. } | BodyMode::Mmap | BodyMode::Sendfile => {
            return Support::Yes;
        }
        BodyMode::Splice => "would need two descriptors more for each connection that sends",
        BodyMode::MsgZerocopy => "has no way to wait for the notices of a socket's error queue",
        BodyMode::SendZc => "has no ring",
    };
    Support::No {
        reason: format!("the tokio engine {because}; it has memory, copy_*, mmap and sendfile"),
    }
}

/// Starts the runtime.
///
/// # Errors
/// The address, a processor or a thread was refused.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
) -> Result<Box<dyn Service>, StartError> {
    let shared = Arc::new(Shared {
        protocol: Arc::new(protocol),
        clock: Clock::start(),
        body: options.body,
        tally: Tally::default(),
    });
    let (workers, cpus) = (options.serve.workers.max(1), options.serve.cpus.clone());
    let setup = Setup {
        threads: 1,
        blocking: false,
    };
    runtime::start(setup, options, move |worker| {
        let runtime = if workers == 1 {
            single()
        } else {
            multiple(workers, &cpus)
        }?;
        let ended = runtime.block_on(serve(&shared, worker));
        // Ends every task where it waits, which closes its connection.
        runtime.shutdown_timeout(FAREWELL);
        ended.map(|()| shared.tally.counters())
    })
}

fn single() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn multiple(workers: usize, cpus: &[usize]) -> io::Result<Runtime> {
    for &cpu in cpus {
        // Tried here, where a refusal can be reported; the workers' own threads cannot.
        affinity::pin(&[cpu])?;
    }
    affinity::pin(cpus)?;
    let (cpus, next) = (cpus.to_vec(), AtomicUsize::new(0));
    Builder::new_multi_thread()
        .worker_threads(workers)
        .on_thread_start(move || {
            let worker = next.fetch_add(1, Ordering::Relaxed);
            if !cpus.is_empty() {
                let _ = affinity::pin(&[cpus[worker % cpus.len()]]);
            }
        })
        .enable_all()
        .build()
}

/// Accepts on the runtime's workers until the stop signal.
async fn serve<P: Protocol>(shared: &Arc<Shared<P>>, worker: &Worker<'_>) -> io::Result<()> {
    let listener = TcpListener::from_std(worker.listener())?;
    let stopped = raised(worker.stop)?;
    worker.ready();
    // A task of its own: this future runs on the thread that owns the runtime, which is none of the
    // workers where there are several.
    let accepting = ::tokio::spawn(accept_all(listener, Arc::clone(shared)));
    match until(stopped, accepting).await? {
        None => Ok(()),
        Some(Err(panicked)) => Err(io::Error::other(panicked)),
    }
}

async fn accept_all<P: Protocol>(listener: TcpListener, shared: Arc<Shared<P>>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let mut conversation = Conversation::open(stream, &shared);
                ::tokio::spawn(async move {
                    // A peer that resets its connection is no event for a server.
                    let _ = conversation.converse().await;
                });
            }
            Err(error) if concerns_one_peer(&error) => {}
            Err(_) => {
                shared.tally.add(Totals {
                    accept_pauses: 1,
                    ..Totals::default()
                });
                ::tokio::time::sleep(SHORTAGE).await;
            }
        }
    }
}

/// What all connections share.
struct Shared<P: Protocol> {
    protocol: Arc<P>,
    clock: Clock,
    body: BodyMode,
    tally: Tally,
}

/// What ended connections counted.
#[derive(Debug, Default)]
struct Tally {
    accepted: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
    accept_pauses: AtomicU64,
}

impl Tally {
    fn add(&self, totals: Totals) {
        // Relaxed: the counters are read after the runtime and so every task has ended.
        self.accepted.fetch_add(totals.accepted, Ordering::Relaxed);
        self.received.fetch_add(totals.received, Ordering::Relaxed);
        self.sent.fetch_add(totals.sent, Ordering::Relaxed);
        self.accept_pauses
            .fetch_add(totals.accept_pauses, Ordering::Relaxed);
    }

    fn counters(&self) -> Counters {
        let totals = Totals {
            accepted: self.accepted.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            accept_pauses: self.accept_pauses.load(Ordering::Relaxed),
        };
        totals.counters()
    }
}

/// One connection.
struct Conversation<P: Protocol> {
    stream: TcpStream,
    dialogue: Dialogue<P>,
    timer: Timer,
    shared: Arc<Shared<P>>,
    counts: Totals,
    /// Rung when others have something for it.
    bell: Option<Arc<Bell>>,
}

impl<P: Protocol> Conversation<P> {
    fn open(stream: TcpStream, shared: &Arc<Shared<P>>) -> Self {
        let mut dialogue = Dialogue::open(Arc::clone(&shared.protocol), shared.clock.now());
        let bell = P::CALLS.then(Arc::<Bell>::default);
        if let Some(bell) = &bell {
            dialogue.introduce(Arc::clone(bell).into());
        }
        let timer = Timer::new(shared.clock);
        Self {
            stream,
            dialogue,
            timer,
            shared: Arc::clone(shared),
            counts: Totals {
                accepted: 1,
                ..Totals::default()
            },
            bell,
        }
    }

    /// Serves the connection to its end.
    async fn converse(&mut self) -> io::Result<()> {
        while self.receive().await? > 0 {
            match self.answer().await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return self.linger().await,
                // What there was is out, and it is less than was promised.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return self.linger().await;
                }
                Err(error) => return Err(error),
            }
        }
        self.dialogue.half_closed();
        self.flush().await
    }

    /// Waits for input, and sends what others have for it meanwhile.
    async fn receive(&mut self) -> io::Result<usize> {
        loop {
            match self.receive_or_hear().await {
                Err(error) if P::CALLS && error.kind() == io::ErrorKind::Interrupted => {
                    self.deliver().await?;
                }
                received => return received,
            }
        }
    }

    async fn deliver(&mut self) -> io::Result<()> {
        loop {
            let delivery = self.dialogue.deliver(self.shared.clock.now());
            self.flush().await?;
            match delivery {
                Delivery::Done => return Ok(()),
                Delivery::More => {}
                Delivery::Close => {
                    self.linger().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
        }
    }

    /// `Interrupted` when the bell was rung.
    async fn receive_or_hear(&mut self) -> io::Result<usize> {
        self.dialogue.make_room();
        let mut input = mem::take(&mut self.dialogue.input);
        let reading = self.stream.read_buf(&mut input);
        let bell = self.bell.as_deref();
        let received = self
            .timer
            .receiving(&mut self.dialogue, reading, bell)
            .await;
        self.dialogue.input = input;
        match &received {
            Ok(length) => self.counts.received += *length as u64,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                // The core's last words, as far as the socket takes them at once.
                let _ = self.stream.try_write(&self.dialogue.out);
            }
            Err(_) => {}
        }
        received
    }

    /// Does what the core wants until it wants input; breaks when it wants to close.
    async fn answer(&mut self) -> io::Result<ControlFlow<()>> {
        loop {
            if self.timer.closing {
                self.flush().await?;
                return Ok(ControlFlow::Break(()));
            }
            match self.dialogue.next(self.shared.clock.now()) {
                Next::Flush => self.flush().await?,
                Next::Read => {
                    self.flush().await?;
                    if !self.timer.closing {
                        return Ok(ControlFlow::Continue(()));
                    }
                }
                Next::Reflect(part) => {
                    self.reflect(part).await?;
                    if !self.dialogue.pending() && !self.timer.closing {
                        return Ok(ControlFlow::Continue(()));
                    }
                }
                Next::Body(body) => self.send_body(&body).await?,
                Next::Close => {
                    self.flush().await?;
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }

    /// Sends the collected replies.
    async fn flush(&mut self) -> io::Result<()> {
        if self.dialogue.out.is_empty() {
            return Ok(());
        }
        let mut out = mem::take(&mut self.dialogue.out);
        let sent = self.send(&out).await;
        out.clear();
        self.dialogue.out = out;
        sent
    }

    async fn reflect(&mut self, part: Range<usize>) -> io::Result<()> {
        self.flush().await?;
        let input = mem::take(&mut self.dialogue.input);
        let sent = self.send(&input[part]).await;
        self.dialogue.input = input;
        sent
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut from = 0;
        while from < bytes.len() {
            let rest = &bytes[from..];
            let write = |stream: &mut TcpStream, context: &mut Context<'_>| {
                Pin::new(stream).poll_write(context, rest)
            };
            let (timer, dialogue) = (&mut self.timer, &mut self.dialogue);
            match timer.sending(dialogue, &mut self.stream, write).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                sent => from += sent,
            }
        }
        self.counts.sent += bytes.len() as u64;
        Ok(())
    }

    async fn send_body(&mut self, body: &Body) -> io::Result<()> {
        match (&body.content, self.shared.body) {
            (Content::Memory(bytes), _) => {
                let bytes = memory_range(body).and_then(|part| bytes.get(part));
                self.send_behind_head(bytes.ok_or(io::ErrorKind::UnexpectedEof)?)
                    .await
            }
            (Content::File(file), BodyMode::Sendfile) => {
                let (file, offset) = (Arc::clone(file), body.offset);
                self.send_pages(body.length, move |stream, at, most| {
                    transfer::send_file(stream, &file, offset + at, most)
                })
                .await
            }
            (Content::File(file), BodyMode::Mmap) => {
                let length = usize::try_from(body.length).map_err(io::Error::other)?;
                let mapping = Mapping::new(file, body.offset, length)?;
                let (file, end) = (Arc::clone(file), body.offset.saturating_add(body.length));
                self.send_pages(body.length, move |stream, at, most| {
                    // Behind a new end, a mapping reads as zeroes to the end of its page.
                    hold_promise(&file, end)?;
                    mapping.send(stream, at as usize, most, false, false)
                })
                .await
            }
            (Content::File(file), BodyMode::Copy { buffer }) => {
                self.send_copied(file, body, buffer).await
            }
            (Content::File(file), _) => self.send_copied(file, body, LARGE_COPY).await,
        }
    }

    /// Sends the head that waits and a body that is in memory with as few writes as the socket
    /// allows.
    async fn send_behind_head(&mut self, body: &[u8]) -> io::Result<()> {
        let mut head = mem::take(&mut self.dialogue.out);
        let mut parts = [IoSlice::new(&head), IoSlice::new(body)];
        let mut parts = &mut parts[..];
        while !parts.is_empty() {
            let write = |stream: &mut TcpStream, context: &mut Context<'_>| {
                Pin::new(stream).poll_write_vectored(context, parts)
            };
            let (timer, dialogue) = (&mut self.timer, &mut self.dialogue);
            match timer.sending(dialogue, &mut self.stream, write).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                sent => IoSlice::advance_slices(&mut parts, sent),
            }
        }
        self.counts.sent += (head.len() + body.len()) as u64;
        head.clear();
        self.dialogue.out = head;
        Ok(())
    }

    /// Reads and sends part after part; the head that waits leaves with the first one.
    async fn send_copied(&mut self, file: &File, body: &Body, size: usize) -> io::Result<()> {
        if self.dialogue.out.len() > size / 2 {
            self.flush().await?;
        }
        let mut buffer = chunk::take(size);
        let mut filled = self.dialogue.take_head(&mut buffer);
        let mut read = 0;
        while read < body.length {
            let most = ((size - filled) as u64).min(body.length - read) as usize;
            let piece = &mut buffer[filled..filled + most];
            let Ok(length) = read_at(file, piece, body.offset + read) else {
                // The head and the answers before it still go.
                self.send(&buffer[..filled]).await?;
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            self.send(&buffer[..filled + length]).await?;
            read += length as u64;
            filled = 0;
        }
        chunk::give_back(buffer);
        Ok(())
    }

    /// Sends the head that waits, then `length` bytes by a call that moves pages: it gets the
    /// socket, the place in the body and the most that it is asked for.
    async fn send_pages(
        &mut self,
        length: u64,
        mut call: impl FnMut(&TcpStream, u64, usize) -> io::Result<usize>,
    ) -> io::Result<()> {
        let mut head = mem::take(&mut self.dialogue.out);
        let (timer, dialogue) = (&mut self.timer, &mut self.dialogue);
        let mut from = 0;
        while from < head.len() {
            // MSG_MORE: the head shares its segment with the start of the body.
            let rest = &head[from..];
            let send = |stream: &mut TcpStream, context: &mut Context<'_>| {
                poll_call(stream, context, |stream| socket::send(stream, rest, true))
            };
            from += timer.sending(dialogue, &mut self.stream, send).await?;
        }
        let mut at = 0;
        while at < length {
            let most = (length - at).min(PAGES) as usize;
            let send = |stream: &mut TcpStream, context: &mut Context<'_>| {
                poll_call(stream, context, |stream| call(stream, at, most))
            };
            match timer.sending(dialogue, &mut self.stream, send).await? {
                // The file became shorter, and its length was promised.
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                sent => at += sent as u64,
            }
        }
        self.counts.sent += head.len() as u64 + length;
        head.clear();
        self.dialogue.out = head;
        Ok(())
    }

    /// Closes the sending side and drops what still comes for a short time, so that the peer sees the
    /// last reply and not a reset.
    async fn linger(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut input = mem::take(&mut self.dialogue.input);
        let dropping = async {
            loop {
                input.clear();
                if self.stream.read_buf(&mut input).await? == 0 {
                    return Ok(());
                }
            }
        };
        // Past the time the connection closes all the same.
        ::tokio::time::timeout(LINGER, dropping)
            .await
            .unwrap_or(Ok(()))
    }
}

impl<P: Protocol> Drop for Conversation<P> {
    fn drop(&mut self) {
        self.shared.tally.add(self.counts);
    }
}

/// Asks the core about a connection's time while its task waits.
struct Timer {
    ticks: Interval,
    clock: Clock,
    /// The core wants to close, once what is on its way has gone.
    closing: bool,
}

impl Timer {
    fn new(clock: Clock) -> Self {
        let mut ticks = ::tokio::time::interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            clock,
            closing: false,
        }
    }

    /// Waits for input; `TimedOut` when the core ends the connection first. The operation is asked
    /// first, so that one that is ready costs no look at the timer.
    async fn receiving<P: Protocol, T>(
        &mut self,
        dialogue: &mut Dialogue<P>,
        operation: impl Future<Output = io::Result<T>>,
        bell: Option<&Bell>,
    ) -> io::Result<T> {
        let mut operation = pin!(operation);
        poll_fn(|context| {
            if let Poll::Ready(result) = operation.as_mut().poll(context) {
                return Poll::Ready(result);
            }
            if bell.is_some_and(|bell| bell.is_heard(context)) {
                return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
            }
            while self.ticks.poll_tick(context).is_ready() {
                if dialogue.tick(self.clock.now()) == Tick::Close {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Sends what the socket takes; `TimedOut` when the peer takes nothing for
    /// [`crate::stall::STALL`].
    async fn sending<P: Protocol>(
        &mut self,
        dialogue: &mut Dialogue<P>,
        stream: &mut TcpStream,
        mut send: impl FnMut(&mut TcpStream, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> io::Result<usize> {
        let mut watch = None;
        poll_fn(|context| {
            if let Poll::Ready(result) = send(stream, context) {
                return Poll::Ready(result);
            }
            while self.ticks.poll_tick(context).is_ready() {
                let now = self.clock.now();
                let watch = watch.get_or_insert_with(|| Watch::new(now));
                watch.look(now, socket::unacknowledged(stream));
                if watch.is_stalled(now) {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                if !self.closing {
                    self.closing = dialogue.tick_unheard(now) == Tick::Close;
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Makes the call when the socket has room, until it sends something or fails.
fn poll_call(
    stream: &TcpStream,
    context: &mut Context<'_>,
    mut call: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(context))?;
        match stream.try_io(Interest::WRITABLE, || call(stream)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            answer => return Poll::Ready(answer),
        }
    }
}

/// `pread` of at least one byte: the file became shorter where there is none, and its length was
/// promised.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
