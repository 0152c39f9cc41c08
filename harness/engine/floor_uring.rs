//! The floor of a ring: a multishot accept, a multishot receive for each connection, sends, and nothing
//! that a right answer does not need. No core, no deadlines, no body modes.

use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ringside_contract::{Counters, Endpoint, Service, StartError};
use ringside_metal::ring::{Completion, Payload, ProvidedBuffer, Ring, RingError, Socket};
use rustix::io::Errno;

use crate::EngineOptions;
use crate::floor::{FloorReply, Matcher};
use crate::listener::{Listener, Listening};
use crate::service::{Stop, Workers};
use crate::uring::{
    ACCEPTED, Acceptor, BUFFER_SIZE, BUFFERS, Moderation, RingSettings, start_worker,
};

/// Starts one loop that gives `reply`.
///
/// # Errors
/// [`StartError`]: the address cannot be used, the processor cannot be had, or the kernel refuses the
/// ring.
pub fn start(reply: FloorReply, options: &EngineOptions) -> Result<Box<dyn Service>, StartError> {
    let listener = Listener::open(options.serve.listen, Listening::default(), &options.serve)?;
    let addresses = vec![listener.address()];
    let mut workers = Workers::new()?;
    let cpus: Vec<usize> = options.cpu(0).into_iter().collect();
    start_worker(&mut workers, &cpus, move |stop, ready| {
        let settings = RingSettings::default();
        let ring = match Ring::new(&settings.setup()) {
            Ok(ring) => ring,
            Err(error) => return ready.failed(error),
        };
        let acceptor = Acceptor::new(Arc::new(listener), settings.accept(), &ring);
        let mut floor = Floor {
            reply,
            ring,
            acceptor,
            open: 0,
            clients: Vec::new(),
            free: Vec::new(),
            accepted: 0,
            moderation: Moderation::new(settings.moderate),
        };
        floor.ring.poll_readable(stop, STOP);
        floor.ring.timeout(TICK_TIME, TICK);
        floor.acceptor.adjust(0, &mut floor.ring);
        ready.succeeded();
        floor.run(stop)
    })?;
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: 1,
        chosen: String::new(),
    }))
}

/// Numbers of operations: what they are about, and whose they are.
const RECEIVED: u64 = 0;
const SENT: u64 = 1 << 32;
const STOP: u64 = 2 << 32;
const TICK: u64 = 3 << 32;

/// After so long an accept is tried again that found no descriptor or memory.
const TICK_TIME: Duration = Duration::from_secs(1);

/// Replies that may wait for a peer; beyond it nothing is received from that peer until they are sent.
const WAITING_MAX: usize = 256 << 10;

/// With so many that wait, receiving goes on by single operations, until nothing is sent and one of them
/// finds less than a buffer: a multishot receive takes all that lies in the socket, megabytes of it, before the loop sees
/// the first of it.
const BEHIND: usize = 64 << 10;

struct Floor {
    reply: FloorReply,
    ring: Ring,
    acceptor: Acceptor,
    /// Connections that hold a descriptor.
    open: usize,
    clients: Vec<Option<Client>>,
    free: Vec<u32>,
    accepted: u64,
    moderation: Moderation,
}

struct Client {
    socket: Option<Socket>,
    matcher: Matcher,
    /// Operations whose last completion is to come.
    pending: u32,
    receiving: bool,
    /// The receive in flight goes on until it is cancelled.
    multishot: bool,
    /// More came than the peer took back, and may still lie in the socket.
    flooded: bool,
    /// The peer has closed its side.
    ended: bool,
    sending: bool,
    /// Bytes of the payload in flight that were sent.
    sent: usize,
    /// Replies that wait for the send in flight.
    waiting: Vec<u8>,
}

impl Floor {
    fn run(&mut self, stop: &Stop) -> io::Result<Counters> {
        while !stop.is_raised() {
            self.moderation
                .wait(&mut self.ring, self.open)
                .map_err(RingError::into_io)?;
            while let Some(completion) = self.ring.next_completion() {
                let index = (completion.tag & u64::from(u32::MAX)) as usize;
                match completion.tag - index as u64 {
                    RECEIVED => self.received(index, completion),
                    SENT => self.sent(index, completion),
                    ACCEPTED => self.accept(completion),
                    TICK => {
                        self.ring.timeout(TICK_TIME, TICK);
                        self.acceptor.wake();
                    }
                    _ => {}
                }
            }
            self.acceptor.adjust(self.open, &mut self.ring);
        }
        for index in 0..self.clients.len() {
            self.close(index);
        }
        self.ring.submit().map_err(RingError::into_io)?;
        Ok(Counters::from([("accepted".to_owned(), self.accepted)]))
    }

    fn accept(&mut self, completion: Completion) {
        self.acceptor.completed(completion.result, completion.more);
        if let Payload::Accepted(socket) = completion.payload {
            self.accepted += 1;
            self.open += 1;
            let matcher = Matcher::new(&self.reply);
            let client = Client {
                socket: Some(socket),
                matcher,
                pending: 0,
                receiving: false,
                multishot: false,
                flooded: false,
                ended: false,
                sending: false,
                sent: 0,
                waiting: Vec::new(),
            };
            let index = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                u32::try_from(self.clients.len() - 1).expect("descriptors have 31 bits")
            });
            self.clients[index as usize] = Some(client);
            self.receive(index as usize);
        }
    }

    fn receive(&mut self, index: usize) {
        let Some(Client {
            socket: Some(socket),
            pending,
            receiving,
            multishot,
            flooded,
            ..
        }) = &mut self.clients[index]
        else {
            return;
        };
        let tag = RECEIVED | index as u64;
        *multishot = !*flooded;
        if *multishot {
            self.ring.receive_multishot(socket, tag);
        } else {
            self.ring.receive_provided(socket, tag);
        }
        *receiving = true;
        *pending += 1;
    }

    fn received(&mut self, index: usize, completion: Completion) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        if !completion.more {
            client.pending -= 1;
            client.receiving = false;
        }
        match (completion.result, completion.payload) {
            (Ok(0), _) => client.ended = true,
            (Ok(count), Payload::Provided(buffer)) => {
                client.flooded &= count >= BUFFER_SIZE || client.sending;
                self.answer(index, buffer);
            }
            // Buffers that were held by this batch are back when the receive is started again.
            (Err(Errno::NOBUFS | Errno::CANCELED | Errno::INTR | Errno::AGAIN), _) => {}
            _ => self.close(index),
        }
        self.watch(index);
        self.free(index);
    }

    /// Stops to receive from a peer that does not take its replies, and starts again when it does.
    fn watch(&mut self, index: usize) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        if client.ended {
            if !client.sending {
                self.close(index);
            }
            return;
        }
        let waiting = client.waiting.len();
        if client.receiving {
            if client.multishot && waiting > BEHIND {
                client.flooded = true;
                self.ring.cancel_receive(RECEIVED | index as u64);
            }
        } else if waiting <= WAITING_MAX {
            self.receive(index);
        }
    }

    fn answer(&mut self, index: usize, buffer: ProvidedBuffer) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        match &self.reply {
            FloorReply::Echo if client.sending => client.waiting.extend_from_slice(&buffer),
            // A buffer in flight to a slow peer is one that nobody can receive into.
            FloorReply::Echo if self.ring.buffers_available() < BUFFERS / 4 => {
                let bytes = buffer.to_vec();
                self.send(index, Payload::Bytes(bytes));
            }
            FloorReply::Echo => self.send(index, Payload::Provided(buffer)),
            FloorReply::Canned { reply, .. } => match client.matcher.count(&buffer) {
                0 => {}
                1 if !client.sending => {
                    let reply = Arc::clone(reply);
                    self.send(index, Payload::Shared(reply));
                }
                count => {
                    for _ in 0..count {
                        client.waiting.extend_from_slice(reply);
                    }
                    self.send_waiting(index);
                }
            },
        }
    }

    fn send_waiting(&mut self, index: usize) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        if !client.sending && !client.waiting.is_empty() {
            let waiting = mem::take(&mut client.waiting);
            self.send(index, Payload::Bytes(waiting));
        }
    }

    fn send(&mut self, index: usize, payload: Payload) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        let Some(socket) = &client.socket else { return };
        let range = 0..payload.bytes().len();
        client.sending = true;
        client.sent = 0;
        client.pending += 1;
        self.ring
            .send(socket, payload, range, false, SENT | index as u64);
    }

    fn sent(&mut self, index: usize, completion: Completion) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        client.pending -= 1;
        client.sending = false;
        let length = completion.payload.bytes().len();
        match (completion.result, &client.socket) {
            (Ok(count), Some(socket)) if count > 0 => {
                client.sent += count as usize;
                if client.sent < length {
                    client.sending = true;
                    client.pending += 1;
                    let range = client.sent..length;
                    let tag = SENT | index as u64;
                    self.ring
                        .send(socket, completion.payload, range, false, tag);
                } else {
                    self.send_waiting(index);
                    self.watch(index);
                }
            }
            _ => self.close(index),
        }
        self.free(index);
    }

    fn close(&mut self, index: usize) {
        let Some(client) = &mut self.clients[index] else {
            return;
        };
        let Some(socket) = client.socket.take() else {
            return;
        };
        if client.pending > 0 {
            self.ring.cancel_all(&socket);
        }
        self.ring.close(socket);
        self.open -= 1;
        self.acceptor.wake();
    }

    /// Uses the place again once nothing refers to it.
    fn free(&mut self, index: usize) {
        let slot = &mut self.clients[index];
        if slot
            .as_ref()
            .is_some_and(|client| client.socket.is_none() && client.pending == 0)
        {
            *slot = None;
            self.free.push(index as u32);
        }
    }
}
