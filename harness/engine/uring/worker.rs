//! The loop of a ring engine, and its start.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ringside_contract::{Counters, Endpoint, Service, StartError};
use ringside_metal::ring::{Completion, Payload, Ring, RingError, Socket};

use super::accept::{self, Acceptor};
use super::connection::{self, Connection, Shared};
use super::moderation::Moderation;
use super::relief::{self, Relief};
use super::settings::RingSettings;
use crate::inbox::Inbox;
use crate::listener::{Listener, Listening};
use crate::service::{Stop, Workers, io_error};
use crate::{BodyMode, EngineOptions, Millis, Protocol};

const STOP: u64 = 2 << 40;
const TICK: u64 = 3 << 40;
const INBOX: u64 = 4 << 40;

/// Starts one loop with one listener.
///
/// # Errors
/// [`StartError`]: the address cannot be listened on, or the kernel refuses the ring.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
    settings: &RingSettings,
) -> Result<Box<dyn Service>, StartError> {
    let listener = Listener::open(options.serve.listen, Listening::default(), &options.serve)?;
    let addresses = vec![listener.address()];
    let mut workers = Workers::new()?;
    spawn_loop(
        &mut workers,
        0,
        listener,
        &Arc::new(protocol),
        options,
        settings,
    )?;
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: 1,
        chosen: String::new(),
    }))
}

/// Adds a worker with a ring of its own to a service, and returns once it accepts connections.
pub(crate) fn spawn_loop<P: Protocol>(
    workers: &mut Workers,
    worker: usize,
    listener: Listener,
    protocol: &Arc<P>,
    options: &EngineOptions,
    settings: &RingSettings,
) -> Result<(), StartError> {
    if let BodyMode::Sendfile | BodyMode::MsgZerocopy = options.body {
        let because = "io_uring has neither sendfile nor MSG_ZEROCOPY; take splice or send_zc";
        return Err(StartError::Option {
            option: "body".to_owned(),
            because: because.to_owned(),
        });
    }
    let cpus: Vec<usize> = options.cpu(worker).into_iter().collect();
    let common = Common {
        listener: Arc::new(listener),
        protocol: Arc::clone(protocol),
        body: options.body,
        settings: *settings,
        stop: Arc::clone(workers.stop_signal()),
        started: Instant::now(),
    };
    start_worker(workers, &cpus, move |_, ready| {
        // Made here, since a ring with a single issuer belongs to the thread that makes it.
        match Worker::new(common, 0) {
            Ok(worker) => {
                ready.succeeded();
                worker.serve()
            }
            Err(error) => ready.failed(error),
        }
    })
}

/// Tells the starting thread how the set-up of a worker went.
pub(crate) struct Ready(SyncSender<Result<(), RingError>>);

impl Ready {
    /// The worker serves from now on.
    pub(crate) fn succeeded(&self) {
        // The receiver waits for exactly one message.
        let _ = self.0.send(Ok(()));
    }

    /// The worker ends; the start will say why.
    pub(crate) fn failed(&self, error: RingError) -> io::Result<Counters> {
        let _ = self.0.send(Err(error));
        Ok(Counters::new())
    }
}

/// Starts a thread and waits until it is ready.
pub(crate) fn start_worker(
    workers: &mut Workers,
    cpus: &[usize],
    work: impl FnOnce(&Stop, &Ready) -> io::Result<Counters> + Send + 'static,
) -> Result<(), StartError> {
    let (sender, receiver) = sync_channel(1);
    workers.spawn(cpus, move |stop| work(stop, &Ready(sender)))?;
    match receiver.recv() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error @ RingError::Setup(_))) => Err(StartError::Unsupported {
            reason: {
                let what = error.to_string();
                format!("{what}: {}", error.into_io())
            },
        }),
        Ok(Err(error)) => Err(io_error(&step(&error), error.into_io())),
        // It panicked; joining it says how.
        Err(_) => Err(io_error(
            "set up a ring",
            io::ErrorKind::UnexpectedEof.into(),
        )),
    }
}

fn step(error: &RingError) -> String {
    let message = error.to_string();
    message
        .strip_prefix("failed to ")
        .unwrap_or(&message)
        .to_owned()
}

/// What a worker counts.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) open: usize,
    pub(super) accepted: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) starved: u64,
    /// Bodies that had no pipe, since no descriptor was left, and were copied.
    pub(super) splice_copied: u64,
}

/// What the rings have in common that one listener feeds.
pub(super) struct Common<P> {
    pub(super) listener: Arc<Listener>,
    pub(super) protocol: Arc<P>,
    pub(super) body: BodyMode,
    pub(super) settings: RingSettings,
    pub(super) stop: Arc<Stop>,
    /// When the first one was made: the core holds times of one ring against those of another.
    pub(super) started: Instant,
}

impl<P> Clone for Common<P> {
    fn clone(&self) -> Self {
        Self {
            listener: Arc::clone(&self.listener),
            protocol: Arc::clone(&self.protocol),
            body: self.body,
            settings: self.settings,
            stop: Arc::clone(&self.stop),
            started: self.started,
        }
    }
}

pub(super) struct Worker<P: Protocol> {
    shared: Shared<P>,
    acceptor: Acceptor,
    connections: Vec<Option<Connection<P::Connection>>>,
    free: Vec<u32>,
    moderation: Moderation,
    relief: Relief<P>,
    started: Instant,
    stopping: bool,
}

impl<P: Protocol> Worker<P> {
    /// With a ring of its own, which accepts already; `number` others were there before.
    pub(super) fn new(common: Common<P>, number: usize) -> Result<Self, RingError> {
        let Common { settings, body, .. } = common;
        let ring = Ring::new(&relief::setup(&settings, number))?;
        let acceptor = Acceptor::new(Arc::clone(&common.listener), settings.accept(), &ring);
        let inbox = P::CALLS.then(Inbox::new).transpose();
        let inbox = inbox.map_err(RingError::Setup)?;
        let protocol = Arc::clone(&common.protocol);
        let mut worker = Self {
            moderation: Moderation::new(settings.moderate),
            shared: Shared::new(protocol, ring, settings, body, inbox),
            acceptor,
            connections: Vec::new(),
            free: Vec::new(),
            started: common.started,
            relief: Relief::new(common, number),
            stopping: false,
        };
        worker.begin();
        worker.shared.ring.submit()?;
        Ok(worker)
    }

    fn begin(&mut self) {
        self.shared.ring.poll_readable(self.relief.stop(), STOP);
        self.shared.ring.timeout(Duration::from_secs(1), TICK);
        self.watch_inbox();
        self.acceptor.adjust(0, &mut self.shared.ring);
    }

    fn watch_inbox(&mut self) {
        let Shared { ring, inbox, .. } = &mut self.shared;
        if let Some(inbox) = inbox {
            inbox.lower();
            ring.poll_readable(&**inbox, INBOX);
        }
    }

    pub(super) fn serve(mut self) -> io::Result<Counters> {
        let mut calls = Vec::new();
        while !self.stopping {
            let now = self.wait().map_err(RingError::into_io)?;
            if let Some(inbox) = &self.shared.inbox {
                inbox.woke();
            }
            // One reading of the clock for each batch.
            let now = now.duration_since(self.started).as_millis();
            self.shared.now = Millis::try_from(now).unwrap_or(Millis::MAX);
            while let Some(completion) = self.shared.ring.next_completion() {
                self.dispatch(completion);
            }
            self.feed_starved();
            self.answer_calls(&mut calls);
            let open = self.shared.totals.open;
            self.acceptor.adjust(open, &mut self.shared.ring);
            if self.acceptor.is_close_to_full(open) {
                self.relief.come();
            }
        }
        self.close_all()?;
        let mut counters = self.counters();
        self.relief.end(&mut counters)?;
        Ok(counters)
    }

    /// Hands over what was queued, and waits unless connections were called meanwhile.
    fn wait(&mut self) -> Result<Instant, RingError> {
        let Shared {
            ring,
            totals,
            inbox,
            ..
        } = &mut self.shared;
        if inbox.as_ref().is_none_or(|inbox| inbox.may_sleep()) {
            return self.moderation.wait(ring, totals.open);
        }
        ring.submit()?;
        Ok(Instant::now())
    }

    /// Behind everything else of a batch, so that what several connections send to one leaves at once.
    fn answer_calls(&mut self, calls: &mut Vec<u64>) {
        let Some(inbox) = &self.shared.inbox else {
            return;
        };
        inbox.take(calls);
        let open = self.shared.totals.open;
        for index in calls.drain(..) {
            let slot = &mut self.connections[index as usize];
            let Some(connection) = slot else { continue };
            connection.call(&mut self.shared);
            if connection.is_over() {
                *slot = None;
                self.free.push(index as u32);
            }
        }
        if self.shared.totals.open < open {
            self.acceptor.wake();
        }
    }

    /// Closes every connection, and waits a moment for those that cannot be closed at once.
    fn close_all(&mut self) -> io::Result<()> {
        for connection in self.connections.iter_mut().flatten() {
            connection.abort(&mut self.shared);
        }
        let deadline = Instant::now() + Duration::from_millis(500);
        self.shared.ring.timeout(Duration::from_millis(500), STOP);
        while self.shared.totals.open > 0 && Instant::now() < deadline {
            self.shared
                .ring
                .submit_and_wait()
                .map_err(RingError::into_io)?;
            while let Some(completion) = self.shared.ring.next_completion() {
                self.dispatch(completion);
            }
        }
        self.shared.ring.submit().map_err(RingError::into_io)
    }

    fn dispatch(&mut self, completion: Completion) {
        match (connection::event(completion.tag), completion.tag) {
            (Some((event, index)), _) => {
                // A connection stays until its last completion, so it is there.
                let Some(slot) = self.connections.get_mut(index as usize) else {
                    return;
                };
                let Some(connection) = slot else { return };
                let open = self.shared.totals.open;
                connection.complete(event, completion, &mut self.shared);
                if connection.is_over() {
                    *slot = None;
                    self.free.push(index);
                }
                if self.shared.totals.open < open {
                    self.acceptor.wake();
                }
            }
            (None, accept::TAG) => {
                self.acceptor.completed(completion.result, completion.more);
                if let Payload::Accepted(socket) = completion.payload {
                    self.accept(socket);
                }
            }
            (None, TICK) => self.tick(),
            (None, INBOX) => self.watch_inbox(),
            (None, _) => self.stopping = true,
        }
    }

    fn accept(&mut self, socket: Socket) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            u32::try_from(self.connections.len() - 1).expect("descriptors have 31 bits")
        });
        self.shared.totals.accepted += 1;
        self.shared.totals.open += 1;
        let connection = Connection::open(index, socket, &mut self.shared);
        self.connections[index as usize] = Some(connection);
    }

    /// Receives again on those connections that found no buffer, once some came back.
    fn feed_starved(&mut self) {
        if self.shared.starved.is_empty() || self.shared.ring.buffers_available() == 0 {
            return;
        }
        for index in std::mem::take(&mut self.shared.starved) {
            self.shared.totals.starved += 1;
            if let Some(Some(connection)) = self.connections.get_mut(index as usize) {
                connection.receive(&mut self.shared);
            }
        }
    }

    fn tick(&mut self) {
        self.shared.ring.timeout(Duration::from_secs(1), TICK);
        self.acceptor.wake();
        for index in 0..self.connections.len() {
            let slot = &mut self.connections[index];
            let Some(connection) = slot else { continue };
            connection.tick(&mut self.shared);
            if connection.is_over() {
                *slot = None;
                self.free.push(index as u32);
            }
        }
    }

    fn counters(&self) -> Counters {
        let totals = &self.shared.totals;
        let ring = &self.shared.ring;
        [
            ("accepted", totals.accepted),
            ("closed", totals.accepted - totals.open as u64),
            ("bytes_received", totals.received),
            ("bytes_sent", totals.sent),
            ("accept_pauses", self.acceptor.pauses()),
            ("receives_without_buffer", totals.starved),
            ("splice_copied", totals.splice_copied),
            ("ring_enters", ring.enters()),
            ("ring_overflows", ring.overflows()),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    }
}
