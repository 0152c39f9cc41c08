//! Conversations over completion-based runtimes (tokio_uring, compio): each operation takes its
//! buffer and hands it back. Neither runtime can withdraw a read cheaply, so nothing here waits for
//! "input or a timer": one task of each worker walks its connections once a second and shuts down
//! those whose time is up, which ends their reads and writes. The path of a request so holds no
//! timer at all.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::net::Shutdown;
use std::ops::{ControlFlow, Range};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ringside_contract::{Counters, Host, Support, UringSupport};

use crate::bell::Bell;
use crate::dialogue::{Dialogue, Next, memory_range};
use crate::runtime::{Clock, LARGE_COPY, LINGER, SHORTAGE, TICK, Totals, concerns_one_peer, until};
use crate::stall::Watch;
use crate::{Body, BodyMode, Content, Delivery, Millis, Protocol, Tick, chunk};

/// What an operation gives back: its result and its buffer.
pub(crate) type Handed<T> = (io::Result<T>, Vec<u8>);

/// One connection as a completion-based runtime gives it.
pub(crate) trait Wire: 'static {
    /// Reads what is there behind the filled part of `buffer`; 0 bytes mean that the peer ended.
    async fn receive(&self, buffer: Vec<u8>) -> Handed<usize>;

    /// Sends all of this part of `buffer`.
    async fn send(&self, buffer: Vec<u8>, part: Range<usize>) -> Handed<()>;

    /// Sends part of shared memory, with the chunk size of the engine where it has to be copied.
    async fn send_shared(&self, bytes: &Arc<[u8]>, part: Range<usize>) -> io::Result<()>;

    /// Reads from a file into this part of `buffer`, as much as it takes.
    async fn read_file(
        file: &Arc<File>,
        offset: u64,
        buffer: Vec<u8>,
        part: Range<usize>,
    ) -> Handed<usize>;

    /// Bytes that the kernel holds for the peer.
    fn unacknowledged(&self) -> io::Result<u32>;

    /// Ends one or both directions at once; operations in flight end.
    fn shut_down(&self, how: Shutdown) -> io::Result<()>;

    /// The runtime's timer.
    async fn sleep(time: Duration);

    /// Starts a task on the runtime's thread.
    fn spawn(task: impl Future<Output = ()> + 'static);
}

/// How long stopping waits for connections that were shut down.
const FAREWELL: Duration = Duration::from_secs(1);

/// A listening socket as a completion-based runtime gives it.
pub(crate) trait Listener {
    /// What it accepts.
    type Wire: Wire;

    /// The next connection.
    async fn accept(&self) -> io::Result<Self::Wire>;
}

/// Whether a runtime on a ring can run on this machine and send bodies so: by a buffer.
pub(crate) fn support(runtime: &str, host: &Host, body: BodyMode) -> Support {
    match (&host.uring, body) {
        (UringSupport::Refused { reason }, _) => Support::No {
            reason: reason.clone(),
        },
        (_, BodyMode::Memory | BodyMode::Copy { .. }) => Support::Yes,
        _ => Support::No {
            reason: format!("{runtime} sends buffers only: bodies go by memory or copy_*"),
        },
    }
}

/// All that a worker does: accepts and serves connections until it is told to stop.
pub(crate) async fn work<P: Protocol, L: Listener>(
    listener: &L,
    table: &Rc<Table<P, L::Wire>>,
    stopped: impl Future<Output = io::Result<()>>,
) -> io::Result<Counters> {
    L::Wire::spawn(Rc::clone(table).keep_time());
    let ended = until(stopped, accept_all(listener, table)).await;
    table.dismiss().await;
    ended?;
    Ok(table.totals.get().counters())
}

async fn accept_all<P: Protocol, L: Listener>(
    listener: &L,
    table: &Rc<Table<P, L::Wire>>,
) -> Infallible {
    loop {
        match listener.accept().await {
            Ok(wire) => table.seat(wire),
            Err(error) if concerns_one_peer(&error) => {}
            Err(_) => {
                table.count(|totals| totals.accept_pauses += 1);
                L::Wire::sleep(SHORTAGE).await;
            }
        }
    }
}

/// The connections of one worker.
pub(crate) struct Table<P: Protocol, W: Wire> {
    protocol: Arc<P>,
    clock: Clock,
    /// Bytes of a body that are read and sent at a time.
    chunk: usize,
    seats: RefCell<BTreeMap<u64, Rc<Seat<P, W>>>>,
    next_key: Cell<u64>,
    totals: Cell<Totals>,
}

/// One connection.
struct Seat<P: Protocol, W: Wire> {
    wire: W,
    dialogue: RefCell<Dialogue<P>>,
    /// Its task sends a piece, so that nothing else writes in between; sees whether the peer takes it.
    sending: Cell<Option<Watch>>,
    /// The core wants to close, once what is on its way has gone.
    closing: Cell<bool>,
    /// When it is shut down at the latest, once that is decided.
    ends: Cell<Option<Millis>>,
    /// Rung when others have something for it.
    bell: Option<Arc<Bell>>,
}

impl<P: Protocol, W: Wire> Table<P, W> {
    /// An empty table.
    pub(crate) fn new(protocol: Arc<P>, clock: Clock, body: BodyMode) -> Rc<Self> {
        let chunk = match body {
            BodyMode::Copy { buffer } => buffer,
            _ => LARGE_COPY,
        };
        Rc::new(Self {
            protocol,
            clock,
            chunk,
            seats: RefCell::default(),
            next_key: Cell::new(0),
            totals: Cell::default(),
        })
    }

    /// Starts the conversation on a connection that was accepted.
    pub(crate) fn seat(self: &Rc<Self>, wire: W) {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let mut dialogue = Dialogue::open(Arc::clone(&self.protocol), self.clock.now());
        let bell = P::CALLS.then(Arc::<Bell>::default);
        if let Some(bell) = &bell {
            dialogue.introduce(Arc::clone(bell).into());
        }
        let seat = Rc::new(Seat {
            wire,
            dialogue: RefCell::new(dialogue),
            sending: Cell::new(None),
            closing: Cell::new(false),
            ends: Cell::new(None),
            bell,
        });
        self.seats.borrow_mut().insert(key, Rc::clone(&seat));
        self.count(|totals| totals.accepted += 1);
        let table = Rc::clone(self);
        W::spawn(async move {
            // A peer that resets its connection is no event for a server: it only ends the task.
            let _ = table.converse(&seat).await;
            table.seats.borrow_mut().remove(&key);
        });
    }

    /// Walks the connections once a second, for ever.
    pub(crate) async fn keep_time(self: Rc<Self>) {
        loop {
            W::sleep(TICK).await;
            let now = self.clock.now();
            for seat in self.seats.borrow().values() {
                if seat.tick(now) == Tick::Close {
                    W::spawn(Rc::clone(seat).part());
                }
            }
        }
    }

    /// Shuts every connection down and waits until their tasks ended, at most for a second.
    pub(crate) async fn dismiss(&self) {
        for seat in self.seats.borrow().values() {
            // Fails only where the peer was faster.
            let _ = seat.wire.shut_down(Shutdown::Both);
        }
        let mut waited = Duration::ZERO;
        let step = Duration::from_millis(5);
        while !self.seats.borrow().is_empty() && waited < FAREWELL {
            W::sleep(step).await;
            waited += step;
        }
    }

    fn count(&self, add: impl FnOnce(&mut Totals)) {
        let mut totals = self.totals.get();
        add(&mut totals);
        self.totals.set(totals);
    }

    async fn converse(&self, seat: &Seat<P, W>) -> io::Result<()> {
        while self.receive(seat).await? > 0 {
            match self.answer(seat).await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return self.linger(seat).await,
                // What there was is out, and it is less than was promised.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return self.linger(seat).await;
                }
                Err(error) => return Err(error),
            }
        }
        seat.dialogue.borrow_mut().half_closed();
        self.flush(seat).await?;
        seat.wire.shut_down(Shutdown::Write)
    }

    /// Waits for input, and sends what others have for it meanwhile: the read stays in flight.
    async fn receive(&self, seat: &Seat<P, W>) -> io::Result<usize> {
        let buffer = {
            let mut dialogue = seat.dialogue.borrow_mut();
            dialogue.make_room();
            mem::take(&mut dialogue.input)
        };
        let mut receiving = pin!(seat.wire.receive(buffer));
        let (received, buffer) = loop {
            let heard = poll_fn(|context| {
                if let Poll::Ready(handed) = receiving.as_mut().poll(context) {
                    return Poll::Ready(Some(handed));
                }
                let heard = seat
                    .bell
                    .as_ref()
                    .is_some_and(|bell| bell.is_heard(context));
                if heard {
                    Poll::Ready(None)
                } else {
                    Poll::Pending
                }
            });
            match heard.await {
                Some(handed) => break handed,
                None => self.deliver(seat).await?,
            }
        };
        seat.dialogue.borrow_mut().input = buffer;
        if let Ok(length) = received {
            self.count(|totals| totals.received += length as u64);
        }
        received
    }

    /// Sends what others have for the connection. One that the core closes now is lingered with: what
    /// it still says is read and dropped, until it ends or its time is up.
    async fn deliver(&self, seat: &Seat<P, W>) -> io::Result<()> {
        if seat.ends.get().is_some() {
            return Ok(());
        }
        loop {
            let delivery = seat.dialogue.borrow_mut().deliver(self.clock.now());
            self.flush(seat).await?;
            match delivery {
                Delivery::Done => return Ok(()),
                Delivery::More => {}
                Delivery::Close => {
                    seat.ends
                        .set(Some(self.clock.now() + LINGER.as_millis() as Millis));
                    return seat.wire.shut_down(Shutdown::Write);
                }
            }
        }
    }

    /// Does what the core wants until it wants input; breaks when it wants to close.
    async fn answer(&self, seat: &Seat<P, W>) -> io::Result<ControlFlow<()>> {
        loop {
            if seat.closing.get() {
                self.flush(seat).await?;
                return Ok(ControlFlow::Break(()));
            }
            let next = seat.dialogue.borrow_mut().next(self.clock.now());
            match next {
                Next::Flush => self.flush(seat).await?,
                Next::Read => {
                    self.flush(seat).await?;
                    if !seat.closing.get() {
                        return Ok(ControlFlow::Continue(()));
                    }
                }
                Next::Reflect(part) => {
                    self.flush(seat).await?;
                    self.reflect(seat, part).await?;
                    if !seat.dialogue.borrow().pending() && !seat.closing.get() {
                        return Ok(ControlFlow::Continue(()));
                    }
                }
                Next::Body(body) => self.send_body(seat, &body).await?,
                Next::Close => {
                    self.flush(seat).await?;
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }

    /// Sends the collected replies.
    async fn flush(&self, seat: &Seat<P, W>) -> io::Result<()> {
        let out = mem::take(&mut seat.dialogue.borrow_mut().out);
        if out.is_empty() {
            seat.dialogue.borrow_mut().out = out;
            return Ok(());
        }
        let all = 0..out.len();
        let (sent, mut out) = self.send(seat, out, all).await;
        out.clear();
        seat.dialogue.borrow_mut().out = out;
        sent
    }

    async fn reflect(&self, seat: &Seat<P, W>, part: Range<usize>) -> io::Result<()> {
        let input = mem::take(&mut seat.dialogue.borrow_mut().input);
        let (sent, input) = self.send(seat, input, part).await;
        seat.dialogue.borrow_mut().input = input;
        sent
    }

    async fn send(&self, seat: &Seat<P, W>, buffer: Vec<u8>, part: Range<usize>) -> Handed<()> {
        let length = part.len() as u64;
        seat.sending.set(Some(Watch::new(self.clock.now())));
        let handed = seat.wire.send(buffer, part).await;
        seat.sending.set(None);
        if handed.0.is_ok() {
            self.count(|totals| totals.sent += length);
        }
        handed
    }

    async fn send_body(&self, seat: &Seat<P, W>, body: &Body) -> io::Result<()> {
        match &body.content {
            Content::File(file) => self.send_file(seat, file, body).await,
            Content::Memory(bytes) => {
                self.flush(seat).await?;
                let part = memory_range(body).filter(|part| part.end <= bytes.len());
                let part = part.ok_or(io::ErrorKind::UnexpectedEof)?;
                for start in part.clone().step_by(LARGE_COPY) {
                    let piece = start..part.end.min(start + LARGE_COPY);
                    let length = piece.len() as u64;
                    seat.sending.set(Some(Watch::new(self.clock.now())));
                    let sent = seat.wire.send_shared(bytes, piece).await;
                    seat.sending.set(None);
                    sent?;
                    self.count(|totals| totals.sent += length);
                }
                Ok(())
            }
        }
    }

    /// Reads and sends part after part; the head that waits in `out` leaves with the first one.
    async fn send_file(&self, seat: &Seat<P, W>, file: &Arc<File>, body: &Body) -> io::Result<()> {
        if seat.dialogue.borrow().out.len() > self.chunk / 2 {
            self.flush(seat).await?;
        }
        let mut buffer = chunk::take(self.chunk);
        let mut filled = seat.dialogue.borrow_mut().take_head(&mut buffer);
        let mut read = 0;
        while read < body.length {
            let most = ((self.chunk - filled) as u64).min(body.length - read) as usize;
            let part = filled..filled + most;
            let (result, handed) = W::read_file(file, body.offset + read, buffer, part).await;
            let length = result.unwrap_or(0);
            if length == 0 {
                // The file became shorter, and its length was promised: the head and the answers
                // before it still go.
                self.send(seat, handed, 0..filled).await.0?;
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            read += length as u64;
            let (result, handed) = self.send(seat, handed, 0..filled + length).await;
            result?;
            buffer = handed;
            filled = 0;
        }
        chunk::give_back(buffer);
        Ok(())
    }

    /// Closes the sending side and drops what still comes, so that the peer sees the last reply and
    /// not a reset. The end comes from the peer or from `keep_time`.
    async fn linger(&self, seat: &Seat<P, W>) -> io::Result<()> {
        seat.wire.shut_down(Shutdown::Write)?;
        seat.ends
            .set(Some(self.clock.now() + LINGER.as_millis() as Millis));
        let mut buffer = mem::take(&mut seat.dialogue.borrow_mut().input);
        loop {
            buffer.clear();
            let (received, handed) = seat.wire.receive(buffer).await;
            buffer = handed;
            if received? == 0 {
                return Ok(());
            }
        }
    }
}

impl<P: Protocol, W: Wire> Seat<P, W> {
    /// Whether its time is up.
    fn tick(&self, now: Millis) -> Tick {
        if let Some(ends) = self.ends.get() {
            if now >= ends {
                // Fails only where the peer was faster.
                let _ = self.wire.shut_down(Shutdown::Both);
            }
            return Tick::Keep;
        }
        if let Some(mut watch) = self.sending.get() {
            // A piece has up to 1 MiB, of which the runtime reports nothing before its end.
            watch.look(now, self.wire.unacknowledged());
            self.sending.set(Some(watch));
            if watch.is_stalled(now) {
                // Fails only where the peer was faster.
                let _ = self.wire.shut_down(Shutdown::Both);
            } else if !self.closing.get() {
                let verdict = self.dialogue.borrow_mut().tick_unheard(now);
                self.closing.set(verdict == Tick::Close);
            }
            return Tick::Keep;
        }
        let verdict = self.dialogue.borrow_mut().tick(now);
        if verdict == Tick::Close {
            // The next tick ends it, should the peer not even take the last reply.
            self.ends.set(Some(now));
        }
        verdict
    }

    /// Sends the last reply and shuts down, unless a reply began in between.
    async fn part(self: Rc<Self>) {
        let out = mem::take(&mut self.dialogue.borrow_mut().out);
        if self.sending.get().is_none() && !out.is_empty() {
            let all = 0..out.len();
            // Whether it arrives is the peer's business: the connection ends now.
            let _ = self.wire.send(out, all).await;
        }
        let _ = self.wire.shut_down(Shutdown::Both);
    }
}
