//! One readiness loop: edge-triggered epoll, one thread, one read buffer for all connections.
//!
//! A request costs one `recv` and one `send`, and its share of an `epoll_wait`: a connection is
//! registered once for everything, a short read shows that the socket is empty, replies are sent
//! straight away, and only a full socket is waited for. When its table of descriptors is nearly full, a
//! further loop takes the listener over.

mod relief;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use ringside_contract::{Counters, Endpoint, Service, StartError};
use ringside_metal::coarse_millis;
use ringside_metal::epoll::{CONNECTION, Events, Interest, Poller, Ticker};
use ringside_metal::socket;

use crate::connection::{Connection, LOOP_INPUT, Turn, Workspace};
use crate::inbox::Inbox;
use crate::listener::{Listener, Listening};
use crate::service::{Workers, io_error};
use crate::slots::Slots;
use crate::{BodyMode, EngineOptions, Millis, Protocol};

pub(crate) use self::relief::Loops;
use self::relief::Relief;

/// Starts one loop with one listener.
///
/// # Errors
/// [`StartError`]: the address cannot be used, the processor cannot be had, or the body mode needs
/// io_uring.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
) -> Result<Box<dyn Service>, StartError> {
    let listener = Listener::open(options.serve.listen, Listening::default(), &options.serve)?;
    let addresses = vec![listener.address()];
    let mut workers = Workers::new()?;
    let loops = Loops::new(protocol, 1, options.body, workers.stop_signal())?;
    spawn_loop(&mut workers, 0, listener, &loops, options)?;
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: 1,
        chosen: String::new(),
    }))
}

/// Adds a worker with a loop of its own to a service.
pub(crate) fn spawn_loop<P: Protocol>(
    workers: &mut Workers,
    worker: usize,
    listener: Listener,
    loops: &Arc<Loops<P>>,
    options: &EngineOptions,
) -> Result<(), StartError> {
    let number = loops
        .begin()
        .expect("there may be as many as were asked for");
    let protocol = Arc::clone(&loops.protocol);
    let readiness = EventLoop::new(loops, protocol, Arc::new(listener), number)
        .map_err(|source| io_error("set up an event loop", source))?;
    let cpus: Vec<usize> = options.cpu(worker).into_iter().collect();
    workers.spawn(&cpus, move |_| readiness.run())
}

/// Only a ring can do `send_zc`.
pub(crate) fn refuse_ring_modes(body: BodyMode) -> Result<(), StartError> {
    if body == BodyMode::SendZc {
        let because = "send_zc is an operation of io_uring; take the engine uring, or msg_zerocopy";
        return Err(StartError::Option {
            option: "body".to_owned(),
            because: because.to_owned(),
        });
    }
    Ok(())
}

/// Tokens that no connection has: see [`Slots::insert`].
const LISTENER: u64 = u64::MAX;
const STOP: u64 = u64::MAX - 1;
const TICK: u64 = u64::MAX - 2;
const INBOX: u64 = u64::MAX - 3;

/// Events of one `epoll_wait`.
const BATCH: usize = 1024;

/// Connections accepted before others have their turn.
const ACCEPT_BATCH: usize = 64;

/// How often deadlines are looked at.
const TICK_PERIOD: Duration = Duration::from_secs(1);

struct EventLoop<P: Protocol> {
    protocol: Arc<P>,
    poller: Poller,
    ticker: Ticker,
    listener: Arc<Listener>,
    /// False while no descriptor or memory is left for another connection.
    accepting: bool,
    slots: Slots<Connection<P>>,
    /// Accepted connections that there was no memory to watch: they wait, and nothing is accepted until
    /// they are watched.
    unwatched: Vec<u64>,
    /// Connections that have more to do, without any event to come.
    runnable: Vec<u64>,
    /// What others call its connections by, where [`Protocol::CALLS`].
    inbox: Option<Arc<Inbox>>,
    space: Workspace,
    started: Millis,
    stopping: bool,
    /// The last field: where a loop fails, its connections do not wait for the end of the next one.
    relief: Relief<P>,
}

impl<P: Protocol> EventLoop<P> {
    fn new(
        loops: &Arc<Loops<P>>,
        protocol: Arc<P>,
        listener: Arc<Listener>,
        number: usize,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&*listener, LISTENER, Interest::IN)?;
        poller.add(&*loops.stop, STOP, Interest::IN)?;
        let ticker = Ticker::new(TICK_PERIOD)?;
        poller.add(&ticker, TICK, Interest::IN)?;
        let inbox = loops.inbox(number);
        if let Some(inbox) = &inbox {
            poller.add(&**inbox, INBOX, Interest::IN | Interest::ET)?;
        }
        Ok(Self {
            protocol,
            poller,
            ticker,
            relief: Relief::new(loops, &listener),
            listener,
            accepting: true,
            slots: Slots::new(),
            unwatched: Vec::new(),
            runnable: Vec::new(),
            inbox,
            space: Workspace::new(LOOP_INPUT, loops.body),
            started: loops.started,
            stopping: false,
        })
    }

    fn run(mut self) -> io::Result<Counters> {
        let mut events = Events::with_capacity(BATCH);
        let (mut turns, mut calls) = (Vec::new(), Vec::new());
        while !self.stopping {
            let wait = if self.may_sleep() {
                None
            } else {
                Some(Duration::ZERO)
            };
            self.poller.wait(&mut events, wait)?;
            if P::CALLS
                && let Some(inbox) = &self.inbox
            {
                inbox.woke();
            }
            self.space.now = coarse_millis() - self.started;
            std::mem::swap(&mut self.runnable, &mut turns);
            for index in 0..events.len() {
                match events.event(index) {
                    (LISTENER, _) => self.accept()?,
                    (STOP, _) => self.stopping = true,
                    (TICK, _) => self.sweep()?,
                    // The calls themselves are taken behind the events.
                    (INBOX, _) => {}
                    (key, seen) => self.ready(key, seen),
                }
            }
            for key in turns.drain(..) {
                if let Some(connection) = self.slots.value_mut(key) {
                    connection.queued = false;
                    self.ready(key, Interest::empty());
                }
            }
            if P::CALLS {
                self.answer_calls(&mut calls);
            }
        }
        self.space.tally.closed += self.slots.len() as u64;
        let mut counters = self.space.totals().counters();
        // Its clients need not wait for those of the next one.
        self.slots = Slots::new();
        self.relief.end(&mut counters)?;
        Ok(counters)
    }

    fn may_sleep(&self) -> bool {
        if !self.runnable.is_empty() {
            return false;
        }
        !P::CALLS || self.inbox.as_ref().is_none_or(|inbox| inbox.may_sleep())
    }

    /// Behind everything else of a batch, so that what several connections send to one leaves at once.
    fn answer_calls(&mut self, calls: &mut Vec<u64>) {
        let Some(inbox) = &self.inbox else { return };
        inbox.take(calls);
        for key in calls.drain(..) {
            if let Some(connection) = self.slots.value_mut(key) {
                connection.report_call();
                self.ready(key, Interest::empty());
            }
        }
    }

    #[inline]
    fn ready(&mut self, key: u64, seen: Interest) {
        // Gone: closed by an earlier event of this batch.
        let Some(connection) = self.slots.value_mut(key) else {
            return;
        };
        connection.report(seen);
        // It has its turn behind the events of this batch.
        if connection.queued {
            return;
        }
        match connection.turn(&self.protocol, &mut self.space) {
            Turn::Wait => {}
            Turn::Again => {
                connection.queued = true;
                self.runnable.push(key);
            }
            Turn::Closed => self.close(key),
        }
    }

    fn close(&mut self, key: u64) {
        self.slots.remove(key);
        // A descriptor is free again. A failure shows again at the next tick.
        if !self.accepting {
            let _ = self.resume_accepting();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..ACCEPT_BATCH {
            match socket::accept(&*self.listener, false) {
                Ok(socket) => self.open(socket),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if socket::out_of_resources(&error) => {
                    // Other things than these connections may have taken the last descriptors.
                    self.relief.come();
                    return self.pause_accepting();
                }
                // The peer gave up while it waited, or a signal came: the next one is a new chance.
                Err(_) => {}
            }
            if !self.unwatched.is_empty() {
                return self.pause_accepting();
            }
        }
        Ok(())
    }

    fn open(&mut self, socket: OwnedFd) {
        self.relief.watch(socket.as_raw_fd());
        let connection = Connection::new(socket, &*self.protocol, &mut self.space);
        let key = self.slots.insert(connection);
        if let Some(connection) = self.slots.value_mut(key)
            && let Some(inbox) = &self.inbox
        {
            connection.introduce(&self.protocol, inbox.caller(key));
        }
        if !self.watch(key) {
            self.unwatched.push(key);
        }
    }

    /// False when there is no memory to watch it. What has come by then is reported once it is watched.
    fn watch(&mut self, key: u64) -> bool {
        // One that was closed meanwhile needs nothing more.
        self.slots.value_mut(key).is_none_or(|connection| {
            let socket = connection.socket();
            self.poller.add(socket, key, CONNECTION).is_ok()
        })
    }

    /// Those who wait stay in the listener's backlog. A level-triggered listener would report them
    /// at once again and the loop would spin, so it is not watched until something was closed, or
    /// for a second, since another process may have freed what was missing.
    fn pause_accepting(&mut self) -> io::Result<()> {
        self.space.tally.accept_pauses += 1;
        self.accepting = false;
        self.poller
            .modify(&*self.listener, LISTENER, Interest::empty())
    }

    fn resume_accepting(&mut self) -> io::Result<()> {
        while let Some(key) = self.unwatched.pop() {
            if !self.watch(key) {
                self.unwatched.push(key);
                return Ok(());
            }
        }
        self.poller
            .modify(&*self.listener, LISTENER, Interest::IN)?;
        self.accepting = true;
        Ok(())
    }

    fn sweep(&mut self) -> io::Result<()> {
        self.ticker.clear();
        for index in 0..self.slots.places() {
            let Some(key) = self.slots.key_at(index) else {
                continue;
            };
            let Some(connection) = self.slots.value_mut(key) else {
                continue;
            };
            if connection.tick(&self.protocol, &mut self.space) == Turn::Closed {
                self.close(key);
            }
        }
        if self.accepting {
            Ok(())
        } else {
            self.resume_accepting()
        }
    }
}

#[cfg(test)]
mod tests;
