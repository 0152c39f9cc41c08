//! A thread for each connection, with blocking reads and writes.
//!
//! A thread costs about 34 KB of memory and two mappings of its address space, so a process ends at
//! some 16,000 connections (`vm.max_map_count`). Where a protocol has calls, a connection also takes a second
//! descriptor, that of its inbox, so that half as many connections as open files are the most. What cannot
//! be served yet waits: an accepted socket for its thread, all others in the listener's backlog.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ringside_contract::{Counters, Endpoint, Service, StartError, StopError};
use ringside_metal::epoll::wait_for_either;
use ringside_metal::{coarse_millis, socket};

use crate::connection::{Connection, Totals, Turn, Workspace};
use crate::epoll::refuse_ring_modes;
use crate::inbox::Inbox;
use crate::listener::{Listener, Listening};
use crate::service::{Stop, Workers, io_error, panic_message};
use crate::{BodyMode, EngineOptions, Millis, Protocol};

/// Starts a thread that accepts, and makes a thread for each connection. All of them may use all the
/// processors of the options.
///
/// # Errors
/// [`StartError`]: the address cannot be used, the processors cannot be had, or the body mode needs
/// io_uring.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
) -> Result<Box<dyn Service>, StartError> {
    refuse_ring_modes(options.body)?;
    let how = Listening {
        shared: false,
        blocking: true,
    };
    let listener = Arc::new(Listener::open(options.serve.listen, how, &options.serve)?);
    // Accepted sockets inherit the time-outs, which saves two system calls for each connection.
    socket::set_timeouts(&*listener, Duration::from_millis(TICK_MS))
        .map_err(|source| io_error("set the time-outs of the listener", source))?;
    let endpoint = Endpoint {
        addresses: vec![listener.address()],
        workers: 1,
        chosen: String::new(),
    };
    let mut workers = Workers::new()?;
    let stop = Arc::clone(workers.stop_signal());
    let hall = Arc::new(Hall::new(protocol, options.body));
    let accepting = Arc::clone(&listener);
    workers.spawn(&options.serve.cpus, move |stop| {
        run(&hall, &accepting, stop)
    })?;
    Ok(Box::new(Blocking {
        service: workers.into_service(endpoint),
        listener,
        stop,
    }))
}

/// Calls that wait give up after this time, so that deadlines are looked at.
const TICK_MS: Millis = 1000;

/// Stack of a connection's thread: the engine needs a few kilobytes and buffers are on the heap, so
/// this leaves room for any core. Untouched pages cost address space only.
const STACK_BYTES: usize = 256 << 10;

/// Read buffer of a thread.
const INPUT_BYTES: usize = 64 << 10;

/// Workspaces of ended threads that are kept for new ones.
const SPARE_WORKSPACES: usize = 64;

/// A retry comes after this time when no thread has ended before.
const RETRY: Duration = Duration::from_millis(50);

/// Shut sockets end their threads at once; a thread that still runs after this time never ends.
const END_LIMIT: Duration = Duration::from_secs(10);

struct Blocking {
    service: Box<dyn Service>,
    listener: Arc<Listener>,
    stop: Arc<Stop>,
}

impl Service for Blocking {
    fn endpoint(&self) -> &Endpoint {
        self.service.endpoint()
    }

    fn stop(self: Box<Self>) -> Result<Counters, StopError> {
        self.stop.raise();
        // Ends the `accept` that waits.
        socket::shutdown(&*self.listener, Shutdown::Both);
        let Self { service, .. } = *self;
        service.stop()
    }
}

/// What the threads share. They lock it when they begin and when they end, never in between.
struct Hall<P> {
    protocol: P,
    body: BodyMode,
    started: Millis,
    state: Mutex<State>,
    /// A thread has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// The sockets of all connections, to be shut when the service stops.
    sockets: HashMap<u64, Arc<OwnedFd>>,
    spare: Vec<Workspace>,
    totals: Totals,
    panic: Option<String>,
}

impl<P: Protocol> Hall<P> {
    fn new(protocol: P, body: BodyMode) -> Self {
        let (state, ended) = (Mutex::default(), Condvar::new());
        Self {
            protocol,
            body,
            started: coarse_millis(),
            state,
            ended,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        coarse_millis() - self.started
    }

    /// Something is used up: waits until a thread has ended, or a while.
    fn wait_for_room(&self) {
        let mut state = self.state();
        state.totals.tally.accept_pauses += 1;
        drop(self.ended.wait_timeout(state, RETRY));
    }

    /// One connection, from its first byte to its last.
    fn serve(&self, socket: &Arc<OwnedFd>, calls: Option<&Calls>, space: &mut Workspace) {
        space.now = self.now();
        let mut next_tick = space.now + TICK_MS;
        let mut connection = Connection::new(Arc::clone(socket), &self.protocol, space);
        if let Some(calls) = calls {
            connection.introduce(&self.protocol, calls.inbox.caller(0));
        }
        loop {
            match calls {
                None => connection.report_readable(),
                Some(calls) => calls.wait(socket, &mut connection),
            }
            if connection.turn(&self.protocol, space) == Turn::Closed {
                return;
            }
            space.now = self.now();
            if space.now >= next_tick {
                next_tick = space.now + TICK_MS;
                if connection.tick(&self.protocol, space) == Turn::Closed {
                    return;
                }
            }
        }
    }

    /// The body of a connection's thread.
    fn serve_thread(&self, number: u64, socket: Arc<OwnedFd>, calls: Option<Calls>) {
        let spare = self.state().spare.pop();
        let mut space = spare.unwrap_or_else(|| Workspace::new(INPUT_BYTES, self.body));
        let before = space.totals();
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            self.serve(&socket, calls.as_ref(), &mut space);
        }));
        drop((socket, calls));
        let mut state = self.state();
        let socket = state.sockets.remove(&number);
        state.totals.add(&space.totals().since(&before));
        match result {
            Ok(()) if state.spare.len() < SPARE_WORKSPACES => state.spare.push(space),
            Ok(()) => {}
            Err(panic) => {
                state
                    .panic
                    .get_or_insert_with(|| panic_message(panic.as_ref()));
            }
        }
        drop(state);
        // Closed outside of the lock, and before others hear that a descriptor is free.
        drop(socket);
        self.ended.notify_all();
    }
}

/// Where a protocol has calls, the thread of a connection sleeps until its socket or a call wakes it.
#[derive(Clone)]
struct Calls {
    inbox: Arc<Inbox>,
}

impl Calls {
    fn new() -> io::Result<Self> {
        let inbox = Inbox::new()?;
        Ok(Self { inbox })
    }

    /// Waits for one or the other, or for the next tick.
    fn wait<P: Protocol>(
        &self,
        socket: &Arc<OwnedFd>,
        connection: &mut Connection<P, Arc<OwnedFd>>,
    ) {
        // What waits to be sent is waited for by the send itself.
        if self.inbox.may_sleep() && !connection.waits_to_send() {
            let at_most = Duration::from_millis(TICK_MS);
            let [readable, called] = wait_for_either(socket, &*self.inbox, at_most);
            if readable {
                connection.report_readable();
            }
            if called {
                self.inbox.lower();
            }
        }
        let mut keys = Vec::new();
        self.inbox.take(&mut keys);
        if !keys.is_empty() {
            connection.report_call();
        }
    }
}

fn run<P: Protocol>(hall: &Arc<Hall<P>>, listener: &Listener, stop: &Stop) -> io::Result<Counters> {
    let mut number = 0;
    while !stop.is_raised() {
        // Had before the socket: a client that was accepted and finds no descriptor for its calls could only
        // be closed, and one in the backlog waits.
        let Ok(calls) = P::CALLS.then(Calls::new).transpose() else {
            hall.wait_for_room();
            continue;
        };
        match socket::accept(listener, true) {
            Ok(socket) => {
                start_thread(hall, number, socket, calls.as_ref(), stop);
                number += 1;
            }
            Err(error) if socket::out_of_resources(&error) => hall.wait_for_room(),
            // The time-out passed, a signal came, or the peer gave up while it waited.
            Err(_) => {}
        }
    }
    finish(hall)
}

/// Gives the connection its thread; waits while none can be made.
fn start_thread<P: Protocol>(
    hall: &Arc<Hall<P>>,
    number: u64,
    socket: OwnedFd,
    calls: Option<&Calls>,
    stop: &Stop,
) {
    let socket = Arc::new(socket);
    hall.state().sockets.insert(number, Arc::clone(&socket));
    while !stop.is_raised() {
        let (hall_of_thread, socket, calls) =
            (Arc::clone(hall), Arc::clone(&socket), calls.cloned());
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        if thread
            .spawn(move || hall_of_thread.serve_thread(number, socket, calls))
            .is_ok()
        {
            return;
        }
        hall.wait_for_room();
    }
    hall.state().sockets.remove(&number);
}

/// Shuts all connections and waits for their threads.
fn finish<P: Protocol>(hall: &Hall<P>) -> io::Result<Counters> {
    let state = hall.state();
    for socket in state.sockets.values() {
        socket::shutdown(&**socket, Shutdown::Both);
    }
    let (mut state, _) = hall
        .ended
        .wait_timeout_while(state, END_LIMIT, |state| !state.sockets.is_empty())
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(message) = state.panic.take() {
        drop(state);
        // Reported by the service as the panic of this worker.
        panic::resume_unwind(Box::new(message));
    }
    if state.sockets.is_empty() {
        return Ok(state.totals.counters());
    }
    let message = format!(
        "{} connection threads did not end in 10 s",
        state.sockets.len()
    );
    Err(io::Error::new(io::ErrorKind::TimedOut, message))
}
