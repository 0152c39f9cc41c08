//! A fixed pool: two threads for each core take ready connections from one queue, serve each until
//! its socket has nothing more to give or to take, and give it back.
//!
//! The queue is an epoll instance whose entries fire once: taking an event takes the connection, and
//! arming it again gives it back. So 10,000 connections need no more threads than one does.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringside_contract::{Counters, Endpoint, Service, StartError};
use ringside_metal::epoll::{Events, Interest, Poller};
use ringside_metal::{coarse_millis, socket};

use crate::connection::{Connection, LOOP_INPUT, Turn, Workspace};
use crate::epoll::refuse_ring_modes;
use crate::inbox::Inbox;
use crate::listener::{Listener, Listening};
use crate::service::{Stop, Workers, io_error};
use crate::{EngineOptions, Millis, Protocol};

/// Starts two threads for each processor of the options, or of the machine where none are named.
///
/// # Errors
/// [`StartError`]: the address cannot be used, the processors cannot be had, or the body mode needs
/// io_uring.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
) -> Result<Box<dyn Service>, StartError> {
    refuse_ring_modes(options.body)?;
    let cpus = &options.serve.cpus;
    let cores = match cpus.len() {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    };
    let threads = THREADS_PER_CORE * cores;
    let listener = Listener::open(options.serve.listen, Listening::default(), &options.serve)?;
    let addresses = vec![listener.address()];
    let mut workers = Workers::new()?;
    let pool = Pool::new(protocol, listener, workers.stop_signal())
        .map_err(|source| io_error("set up the queue of connections", source))?;
    let pool = Arc::new(pool);
    for worker in 0..threads {
        let (pool, body) = (Arc::clone(&pool), options.body);
        let work = move |_: &Stop| pool.run(worker == 0, Workspace::new(LOOP_INPUT, body));
        workers.spawn(cpus, work)?;
    }
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: threads,
        chosen: String::new(),
    }))
}

/// As documented for the pool: one thread works while the other waits in a system call.
const THREADS_PER_CORE: usize = 2;

/// Tokens that no descriptor has.
const LISTENER: u64 = u64::MAX;
const STOP: u64 = u64::MAX - 1;
const INBOX: u64 = u64::MAX - 2;

const TICK_MS: Millis = 1000;
const ACCEPT_BATCH: usize = 16;

/// Places for connections when the limit on open files is not set or absurdly high.
const PLACES_MAX: u64 = 1 << 20;

const LISTENING: Interest = Interest::IN.union(Interest::ONESHOT);
const READING: Interest = Interest::IN.union(Interest::RDHUP).union(Interest::ONESHOT);
const SENDING: Interest = Interest::OUT.union(Interest::ONESHOT);
/// More to do at once: fires as soon as others had their turn.
const AGAIN: Interest = READING.union(Interest::OUT);

struct Pool<P: Protocol> {
    protocol: P,
    poller: Poller,
    listener: Listener,
    /// No descriptor or memory was left; the listener is not armed until some is free.
    paused: AtomicBool,
    /// Places of connections that could not be watched. Nothing is accepted until they can be.
    unwatched: Mutex<Vec<usize>>,
    /// The connection of each descriptor. An event fires once, so no two threads want the same lock,
    /// except for the sweep of deadlines.
    places: Box<[Place<P>]>,
    /// Calls of one connection to another. One thread at a time answers them.
    inbox: Arc<Inbox>,
    /// One more than the highest place used so far.
    used: AtomicUsize,
    started: Millis,
}

type Place<P> = Mutex<Option<Box<Connection<P>>>>;

impl<P: Protocol> Pool<P> {
    fn new(protocol: P, listener: Listener, stop: &Stop) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&listener, LISTENER, LISTENING)?;
        // Not armed once, but for ever: every thread has to see it.
        poller.add(stop, STOP, Interest::IN)?;
        let inbox = Inbox::new()?;
        if P::CALLS {
            // Nobody looks before the first call.
            inbox.may_sleep();
            poller.add(&*inbox, INBOX, LISTENING)?;
        }
        let places = socket::open_files_limit()
            .unwrap_or(PLACES_MAX)
            .min(PLACES_MAX);
        Ok(Self {
            protocol,
            poller,
            listener,
            paused: AtomicBool::new(false),
            unwatched: Mutex::default(),
            places: (0..places).map(|_| Mutex::new(None)).collect(),
            inbox,
            used: AtomicUsize::new(0),
            started: coarse_millis(),
        })
    }

    fn now(&self) -> Millis {
        coarse_millis() - self.started
    }

    fn place(&self, index: usize) -> Option<MutexGuard<'_, Option<Box<Connection<P>>>>> {
        // A core that panicked is reported when the service stops; its connection is only closed.
        Some(
            self.places
                .get(index)?
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The body of a thread; one of them also keeps the deadlines.
    fn run(&self, sweeps: bool, mut space: Workspace) -> io::Result<Counters> {
        // One event at a time: what this thread does not serve itself is left to the others.
        let mut events = Events::with_capacity(1);
        let mut next_tick = self.now() + TICK_MS;
        loop {
            let wait = sweeps.then(|| Duration::from_millis(next_tick.saturating_sub(space.now)));
            self.poller.wait(&mut events, wait)?;
            space.now = self.now();
            if !events.is_empty() {
                match events.event(0) {
                    (STOP, _) => break,
                    (LISTENER, _) => self.accept(&mut space)?,
                    (INBOX, _) => self.answer_calls(&mut space)?,
                    (descriptor, seen) => {
                        let report = |connection: &mut Connection<P>| connection.report(seen);
                        self.serve(descriptor as usize, report, &mut space)?;
                    }
                }
            }
            if sweeps && space.now >= next_tick {
                next_tick = space.now + TICK_MS;
                self.sweep(&mut space)?;
            }
        }
        if sweeps {
            self.close_all(&mut space);
        }
        Ok(space.totals().counters())
    }

    /// Serves the calls that wait and those that come meanwhile; then the next call wakes a thread.
    fn answer_calls(&self, space: &mut Workspace) -> io::Result<()> {
        self.inbox.lower();
        let mut keys = Vec::new();
        loop {
            self.inbox.take(&mut keys);
            for key in keys.drain(..) {
                self.serve(key as usize, Connection::report_call, space)?;
            }
            if self.inbox.may_sleep() {
                return self.poller.modify(&*self.inbox, INBOX, LISTENING);
            }
        }
    }

    /// Gives a connection a turn, after `report` told it why.
    fn serve(
        &self,
        index: usize,
        report: impl FnOnce(&mut Connection<P>),
        space: &mut Workspace,
    ) -> io::Result<()> {
        let Some(mut place) = self.place(index) else {
            return Ok(());
        };
        let Some(connection) = place.as_mut() else {
            return Ok(());
        };
        report(connection);
        let interest = match connection.turn(&self.protocol, space) {
            Turn::Closed => {
                *place = None;
                drop(place);
                return self.resume_accepting();
            }
            Turn::Again => AGAIN,
            Turn::Wait if connection.waits_to_send() => SENDING,
            Turn::Wait => READING,
        };
        // Armed under the lock, so that a closed descriptor is never armed.
        self.arm(index, connection, interest)
    }

    fn arm(&self, index: usize, connection: &Connection<P>, interest: Interest) -> io::Result<()> {
        let armed = self
            .poller
            .modify(connection.socket(), index as u64, interest);
        match armed {
            // It is not watched yet, and armed when it is.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            armed => armed,
        }
    }

    fn accept(&self, space: &mut Workspace) -> io::Result<()> {
        for _ in 0..ACCEPT_BATCH {
            match socket::accept(&self.listener, false) {
                Ok(socket) => {
                    if !self.open(socket, space) {
                        // Nor would those behind it be watched.
                        self.pause_accepting(space);
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if socket::out_of_resources(&error) => {
                    self.pause_accepting(space);
                    return Ok(());
                }
                // The peer gave up while it waited.
                Err(_) => {}
            }
        }
        self.poller.modify(&self.listener, LISTENER, LISTENING)
    }

    /// Who waits stays in the backlog. A close that was faster than this store is made good by the next
    /// sweep.
    fn pause_accepting(&self, space: &mut Workspace) {
        space.tally.accept_pauses += 1;
        self.paused.store(true, Ordering::SeqCst);
    }

    fn resume_accepting(&self) -> io::Result<()> {
        // The load keeps the common case free of writes to a shared cache line.
        if self.paused.load(Ordering::SeqCst) && self.paused.swap(false, Ordering::SeqCst) {
            if !self.watch_unwatched() {
                self.paused.store(true, Ordering::SeqCst);
                return Ok(());
            }
            self.poller.modify(&self.listener, LISTENER, LISTENING)?;
        }
        Ok(())
    }

    /// False while one of them still cannot be watched.
    fn watch_unwatched(&self) -> bool {
        let mut unwatched = self
            .unwatched
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        unwatched.retain(|&index| {
            // One that was closed meanwhile needs nothing more.
            let place = self.place(index);
            let connection = place.as_ref().and_then(|place| place.as_ref());
            connection.is_some_and(|connection| !self.watch(index, connection))
        });
        unwatched.is_empty()
    }

    /// False when there is no memory to watch it. What has come by then is reported once it is watched.
    fn watch(&self, index: usize, connection: &Connection<P>) -> bool {
        let interest = if connection.waits_to_send() {
            SENDING
        } else {
            READING
        };
        let watched = self.poller.add(connection.socket(), index as u64, interest);
        watched.is_ok()
    }

    /// False when the connection cannot be watched for now.
    fn open(&self, socket: OwnedFd, space: &mut Workspace) -> bool {
        let index = socket.as_raw_fd() as usize;
        let mut connection = Box::new(Connection::new(socket, &self.protocol, space));
        if P::CALLS {
            connection.introduce(&self.protocol, self.inbox.caller(index as u64));
        }
        // Descriptors are below the limit that was read at the start; should it have been raised
        // since, what is beyond is closed.
        let Some(mut place) = self.place(index) else {
            space.tally.closed += 1;
            return true;
        };
        self.used.fetch_max(index + 1, Ordering::SeqCst);
        let is_watched = self.watch(index, &connection);
        *place = Some(connection);
        drop(place);
        if !is_watched {
            let mut unwatched = self
                .unwatched
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            unwatched.push(index);
        }
        is_watched
    }

    fn sweep(&self, space: &mut Workspace) -> io::Result<()> {
        for index in 0..self.used.load(Ordering::SeqCst) {
            let Some(mut place) = self.place(index) else {
                break;
            };
            let Some(connection) = place.as_mut() else {
                continue;
            };
            if connection.tick(&self.protocol, space) == Turn::Closed {
                *place = None;
            } else if connection.waits_to_send() {
                self.arm(index, connection, SENDING)?;
            }
        }
        self.resume_accepting()
    }

    fn close_all(&self, space: &mut Workspace) {
        for index in 0..self.used.load(Ordering::SeqCst) {
            let connection = self.place(index).and_then(|mut place| place.take());
            space.tally.closed += u64::from(connection.is_some());
        }
    }
}
