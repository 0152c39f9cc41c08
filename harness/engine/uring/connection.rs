//! One connection of a ring engine: what it waits for, and what happens when that comes.

mod input;
mod output;

use std::io;
use std::mem;
use std::ops::Range;
use std::sync::Arc;

use ringside_metal::ring::{Completion, Ring, Socket};

use super::transfer::Transfer;
use super::{RingSettings, worker::Totals};
use crate::inbox::Inbox;
use crate::stall::Watch;
use crate::{BodyMode, Millis, Protocol, Tick};

/// Bytes of replies that may wait behind a send; then input waits.
const OUT_MAX: usize = 256 << 10;

/// Milliseconds for which what still comes is read and dropped after the last reply.
const LINGER: Millis = 2000;

/// Vectors that a worker keeps for reuse, and the largest that it keeps.
const SPARES_MAX: usize = 1024;
const SPARE_CAPACITY_MAX: usize = 64 << 10;

/// What the completion of an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Bytes came.
    Received,
    /// Bytes went.
    Sent,
    /// Part of a file was read.
    Read,
    /// Part of a file is in the pipe.
    Piped,
    /// The sending side has ended.
    Shut,
    /// What the kernel holds for the peer is known.
    Held,
}

/// What all connections of a worker share.
pub(super) struct Shared<P> {
    pub(super) protocol: Arc<P>,
    pub(super) ring: Ring,
    pub(super) settings: RingSettings,
    pub(super) body: BodyMode,
    pub(super) now: Millis,
    pub(super) totals: Totals,
    /// Connections that wait for receive buffers.
    pub(super) starved: Vec<u32>,
    /// Calls from other connections, where the protocol has them.
    pub(super) inbox: Option<Arc<Inbox>>,
    spares: Vec<Vec<u8>>,
}

impl<P> Shared<P> {
    pub(super) fn new(
        protocol: Arc<P>,
        ring: Ring,
        settings: RingSettings,
        body: BodyMode,
        inbox: Option<Arc<Inbox>>,
    ) -> Self {
        let (starved, spares) = (Vec::new(), Vec::new());
        Self {
            protocol,
            ring,
            settings,
            body,
            now: 0,
            totals: Totals::default(),
            starved,
            inbox,
            spares,
        }
    }

    /// An empty vector, with capacity where one is at hand.
    pub(super) fn spare(&mut self) -> Vec<u8> {
        self.spares.pop().unwrap_or_default()
    }

    /// Keeps a vector for reuse.
    pub(super) fn keep(&mut self, mut bytes: Vec<u8>) {
        if self.spares.len() < SPARES_MAX && (1..=SPARE_CAPACITY_MAX).contains(&bytes.capacity()) {
            bytes.clear();
            self.spares.push(bytes);
        }
    }
}

/// Where a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Requests are answered.
    Open,
    /// What is queued is sent, then the sending side ends.
    Closing,
    /// What still comes is dropped, until the peer closes or the time is over.
    Lingering { until: Millis },
    /// The descriptor is closed; operations in flight still have to end.
    Dead,
}

/// One connection.
pub(super) struct Connection<C> {
    index: u32,
    core: C,
    socket: Option<Socket>,
    phase: Phase,
    /// Operations whose last completion is to come.
    pending: u32,
    receiving: bool,
    /// The receive in flight goes on until it is cancelled.
    multishot: bool,
    /// More came than the peer took back, and may still lie in the socket.
    flooded: bool,
    /// The sending side is being ended.
    shutting: bool,
    /// To be aborted as soon as that has happened.
    doomed: bool,
    sending: bool,
    /// Sees whether the peer takes what is sent.
    watch: Watch,
    /// A send that took long was cancelled, to see whether some of it was sent.
    asked: bool,
    /// The peer has closed its side.
    ended: bool,
    told_of_end: bool,
    /// Others have something for it.
    called: bool,
    /// The core has seen all of `input` and waits for more.
    hungry: bool,
    input: Vec<u8>,
    out: Vec<u8>,
    /// The range of the payload in flight that is still to be sent.
    unsent: Range<usize>,
    /// Apart, since most connections have none and many only stay.
    transfer: Option<Box<Transfer>>,
}

impl<C> Connection<C> {
    /// Starts to receive on an accepted socket.
    pub(super) fn open<P: Protocol<Connection = C>>(
        index: u32,
        socket: Socket,
        shared: &mut Shared<P>,
    ) -> Self {
        let mut connection = Self {
            index,
            core: shared.protocol.open(shared.now),
            socket: Some(socket),
            phase: Phase::Open,
            pending: 0,
            receiving: false,
            multishot: false,
            flooded: false,
            shutting: false,
            doomed: false,
            sending: false,
            watch: Watch::new(shared.now),
            asked: false,
            ended: false,
            told_of_end: false,
            called: false,
            hungry: true,
            input: Vec::new(),
            out: Vec::new(),
            unsent: 0..0,
            transfer: None,
        };
        if let Some(inbox) = &shared.inbox {
            let caller = inbox.caller(u64::from(index));
            shared.protocol.introduce(&mut connection.core, caller);
        }
        connection.receive(shared);
        connection
    }

    /// Others have something for it; or for one that was at its place before, which does no harm.
    pub(super) fn call<P: Protocol<Connection = C>>(&mut self, shared: &mut Shared<P>) {
        self.called = true;
        self.go_on(shared);
    }

    /// True once nothing refers to it any more.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Dead && self.pending == 0
    }

    /// Deals with one completion.
    pub(super) fn complete<P: Protocol<Connection = C>>(
        &mut self,
        event: Event,
        completion: Completion,
        shared: &mut Shared<P>,
    ) {
        if !completion.more {
            self.pending -= 1;
        }
        match event {
            Event::Received => self.received(completion, shared),
            Event::Sent => self.sent(completion, shared),
            Event::Held => {
                let held = completion.result.map_err(io::Error::from);
                return self.watch.look(shared.now, held);
            }
            Event::Shut => {
                self.shutting = false;
                if self.doomed {
                    self.abort(shared);
                }
            }
            Event::Read | Event::Piped => {
                // There is none when the connection was aborted meanwhile.
                if let Some(transfer) = &mut self.transfer {
                    transfer.progressed(completion.result, completion.payload);
                }
            }
        }
        self.go_on(shared);
    }

    /// Once a second: deadlines.
    pub(super) fn tick<P: Protocol<Connection = C>>(&mut self, shared: &mut Shared<P>) {
        self.watch_sending(shared);
        match self.phase {
            Phase::Open => {
                if self.sending || self.transfer.is_some() {
                    shared.protocol.held_up(&mut self.core, shared.now);
                }
                // A last reply has no place inside of a body.
                let mut unsaid = Vec::new();
                let out = match self.transfer {
                    Some(_) => &mut unsaid,
                    None => &mut self.out,
                };
                if shared.protocol.tick(&mut self.core, shared.now, out) == Tick::Close {
                    self.phase = Phase::Closing;
                }
                if self.transfer.is_none() {
                    self.go_on(shared);
                }
            }
            // What the peer was promised is still sent.
            Phase::Closing | Phase::Dead => {}
            Phase::Lingering { until } => {
                if shared.now >= until {
                    self.abort(shared);
                }
            }
        }
    }

    /// Ends a connection whose peer takes nothing. A send reports what it sent only when it ends, so
    /// one that takes long is cancelled to see: it goes on if some of it was sent.
    fn watch_sending<P>(&mut self, shared: &mut Shared<P>) {
        let Some(socket) = &self.socket else { return };
        if !self.sending {
            self.watch.moved(shared.now);
        } else if !self.watch.is_stalled(shared.now) {
            shared
                .ring
                .unacknowledged(socket, tag(Event::Held, self.index));
            self.pending += 1;
        } else if !self.asked {
            self.asked = true;
            shared.ring.cancel_all(socket);
        }
    }

    /// Ends both directions and closes the descriptor at once.
    pub(super) fn abort<P>(&mut self, shared: &mut Shared<P>) {
        if self.shutting {
            // The kernel has still to look the descriptor up.
            self.doomed = true;
            return;
        }
        let Some(socket) = self.socket.take() else {
            return;
        };
        self.phase = Phase::Dead;
        // Closing alone would not end the connection while operations hold it.
        if self.sending || (self.receiving && !shared.settings.provided) {
            shared.ring.cancel_all(&socket);
        } else if self.receiving {
            shared.ring.cancel_receive(tag(Event::Received, self.index));
        }
        shared.ring.close(socket);
        shared.totals.open -= 1;
        shared.keep(mem::take(&mut self.input));
        shared.keep(mem::take(&mut self.out));
        self.transfer = None;
    }

    /// Input has to wait: a body or much of other replies is to be sent first, or no more is read.
    fn blocked(&self) -> bool {
        self.transfer.is_some() || self.out.len() >= OUT_MAX || self.phase != Phase::Open
    }

    /// Whatever can be sent is in flight: decides whether the connection ends, or receives again.
    fn settle<P: Protocol<Connection = C>>(&mut self, shared: &mut Shared<P>) {
        if self.ended && self.phase == Phase::Open && !self.blocked() && !self.told_of_end {
            self.told_of_end = true;
            shared.protocol.half_closed(&mut self.core, &mut self.out);
            self.phase = Phase::Closing;
            if !self.out.is_empty() && !self.sending {
                return self.go_on(shared);
            }
        }
        let idle = !self.sending && self.out.is_empty() && self.transfer.is_none();
        match self.phase {
            Phase::Closing if idle && self.ended => return self.abort(shared),
            Phase::Closing if idle => {
                if let Some(socket) = &self.socket {
                    shared
                        .ring
                        .shutdown_send(socket, tag(Event::Shut, self.index));
                    self.shutting = true;
                    self.pending += 1;
                }
                self.phase = Phase::Lingering {
                    until: shared.now + LINGER,
                };
            }
            Phase::Lingering { .. } if self.ended => return self.abort(shared),
            _ => {}
        }
        self.receive(shared);
    }
}

/// The number of an operation: what it is about, and whose it is.
pub(super) fn tag(event: Event, index: u32) -> u64 {
    (event as u64) << 32 | u64::from(index)
}

/// Reads a [`tag`]; `None` when it is none of a connection's.
pub(super) fn event(tag: u64) -> Option<(Event, u32)> {
    let event = match tag >> 32 {
        0 => Event::Received,
        1 => Event::Sent,
        2 => Event::Read,
        3 => Event::Piped,
        4 => Event::Shut,
        5 => Event::Held,
        _ => return None,
    };
    Some((event, (tag & u64::from(u32::MAX)) as u32))
}
