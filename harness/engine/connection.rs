//! One connection as the readiness and thread engines serve it: reads, asks the core, sends, and
//! remembers what the socket did not take. It works on blocking sockets too, whose time-outs look
//! like a full or an empty socket.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};

use ringside_contract::Counters;
use ringside_metal::epoll::Interest;
use ringside_metal::socket;

use crate::outbox::{Flushed, Outbox, Sender, Sent};
use crate::stall::Watch;
use crate::{BodyMode, Caller, Delivery, Millis, Protocol, Step, Tick};

/// What a worker reuses for all its connections.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Where input is read to.
    input: Vec<u8>,
    /// Where replies are made.
    out: Vec<u8>,
    sender: Sender,
    /// The time of this batch.
    pub(crate) now: Millis,
    pub(crate) tally: Tally,
}

/// What a worker counts; merged when it ends, so counting takes no lock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) closed: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Times that accepting paused, since no descriptor, memory or thread was left.
    pub(crate) accept_pauses: u64,
}

/// Everything that a worker counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) tally: Tally,
    bodies: Sent,
}

/// A connection; `S` is its socket.
#[derive(Debug)]
pub(crate) struct Connection<P: Protocol, S = OwnedFd> {
    socket: S,
    state: P::Connection,
    /// Input that the core will need again; empty between requests, and then without memory.
    kept: Vec<u8>,
    outbox: Outbox,
    phase: Phase,
    /// There may be something to read.
    readable: bool,
    /// The peer has closed its side: reading goes on until `recv` says so.
    ending: bool,
    /// An error waits, or the notice of a zero-copy send.
    failing: bool,
    /// It stands in its loop's list of connections that have more to do.
    pub(crate) queued: bool,
    /// Others have something for it.
    called: bool,
    /// The core is to be called again with what was kept, once the outbox is empty.
    resume: bool,
    /// Sees whether the peer takes what the outbox holds.
    watch: Watch,
}

/// What is left to do on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Requests and replies.
    Open,
    /// The peer has closed its side: close when the outbox is empty.
    HalfClosed,
    /// The core is done: close the sending side when the outbox is empty.
    Finishing,
    /// The sending side is closed: read and drop until the peer closes or this time comes.
    Lingering { until: Millis },
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing can be done before the socket reports something.
    Wait,
    /// There is more to do at once, but others come first.
    Again,
    /// To be dropped.
    Closed,
}

/// Read buffer of an event loop: two messages of 64 KiB, so that one `recv` takes a large message
/// and sees that nothing follows.
pub(crate) const LOOP_INPUT: usize = 128 << 10;

/// Replies are sent before more of them than this wait in the buffer.
const OUT_LIMIT: usize = 64 << 10;

/// Input that a core may leave unconsumed. Cores refuse long messages earlier.
const KEPT_LIMIT: usize = 64 << 20;

/// How long a finished connection reads and drops input, so that the peer sees the reply, not a reset.
const LINGER_MS: Millis = 2000;

impl Workspace {
    pub(crate) fn new(input: usize, body: BodyMode) -> Self {
        Self {
            input: vec![0; input],
            out: Vec::new(),
            sender: Sender::new(body),
            now: 0,
            tally: Tally::default(),
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            tally: self.tally,
            bodies: self.sender.sent,
        }
    }
}

impl Totals {
    pub(crate) fn add(&mut self, more: &Self) {
        self.combine(more, |mine, other| mine + other);
    }

    /// What was counted after `before` was taken.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        self.combine(before, |mine, other| mine - other);
        self
    }

    fn combine(&mut self, other: &Self, how: impl Fn(u64, u64) -> u64) {
        let (tally, bodies) = (&mut self.tally, &mut self.bodies);
        let pairs = [
            (&mut tally.accepted, other.tally.accepted),
            (&mut tally.closed, other.tally.closed),
            (&mut tally.received, other.tally.received),
            (&mut tally.sent, other.tally.sent),
            (&mut tally.accept_pauses, other.tally.accept_pauses),
            (&mut bodies.bytes, other.bodies.bytes),
            (&mut bodies.zero_copy, other.bodies.zero_copy),
            (&mut bodies.zero_copy_copied, other.bodies.zero_copy_copied),
            (&mut bodies.splice_copied, other.bodies.splice_copied),
        ];
        for (mine, other) in pairs {
            *mine = how(*mine, other);
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        let (tally, bodies) = (self.tally, self.bodies);
        let counts = [
            ("accepted", tally.accepted),
            ("closed", tally.closed),
            ("bytes_received", tally.received),
            ("bytes_sent", tally.sent + bodies.bytes),
            ("accept_pauses", tally.accept_pauses),
            ("zero_copy_sends", bodies.zero_copy),
            ("zero_copy_copied", bodies.zero_copy_copied),
            ("splice_copied", bodies.splice_copied),
        ];
        counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count))
            .collect()
    }
}

impl<P: Protocol, S: AsFd> Connection<P, S> {
    pub(crate) fn new(socket: S, protocol: &P, space: &mut Workspace) -> Self {
        space.tally.accepted += 1;
        Self {
            socket,
            state: protocol.open(space.now),
            kept: Vec::new(),
            outbox: Outbox::default(),
            phase: Phase::Open,
            readable: false,
            ending: false,
            failing: false,
            queued: false,
            called: false,
            resume: false,
            watch: Watch::new(space.now),
        }
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    /// The socket reported `seen`. Call [`Self::turn`] next.
    #[inline]
    pub(crate) fn report(&mut self, seen: Interest) {
        const ENDING: Interest = Interest::RDHUP.union(Interest::HUP);
        self.readable |= seen.intersects(Interest::IN.union(ENDING).union(Interest::ERR));
        self.ending |= seen.intersects(ENDING);
        self.failing |= seen.intersects(Interest::ERR);
    }

    /// The same where nothing reports: a blocking socket is always worth a read.
    pub(crate) fn report_readable(&mut self) {
        self.readable = true;
    }

    /// Gives the core what others can call it by.
    pub(crate) fn introduce(&mut self, protocol: &P, caller: Caller) {
        protocol.introduce(&mut self.state, caller);
    }

    /// It was called. Call [`Self::turn`] next.
    pub(crate) fn report_call(&mut self) {
        self.called = true;
    }

    /// True when it waits for room in the socket, not for input.
    pub(crate) fn waits_to_send(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Does what can be done at once, within the turn's share of bytes: at most one read, and
    /// everything that follows from it.
    #[inline]
    pub(crate) fn turn(&mut self, protocol: &P, space: &mut Workspace) -> Turn {
        space.sender.begin_turn();
        // Errors of a connection end that connection; the peer knows.
        let turn = self.advance(protocol, space).unwrap_or(Turn::Closed);
        space.tally.closed += u64::from(turn == Turn::Closed);
        turn
    }

    /// Called about once a second: deadlines.
    pub(crate) fn tick(&mut self, protocol: &P, space: &mut Workspace) -> Turn {
        let turn = self.tick_inner(protocol, space).unwrap_or(Turn::Closed);
        space.tally.closed += u64::from(turn == Turn::Closed);
        turn
    }

    fn advance(&mut self, protocol: &P, space: &mut Workspace) -> io::Result<Turn> {
        if self.failing && space.sender.uses_zero_copy() {
            self.failing = false;
            space.sender.reap(&self.socket)?;
        }
        let mut may_read = true;
        loop {
            if !self.outbox.is_empty() {
                match self.outbox.flush(&self.socket, &mut space.sender)? {
                    Flushed::All => {}
                    Flushed::Blocked => return Ok(Turn::Wait),
                    Flushed::TurnOver => return Ok(Turn::Again),
                    Flushed::CutShort => self.phase = Phase::Finishing,
                }
            }
            match self.phase {
                Phase::Open if self.resume => {
                    self.resume = false;
                    let count = self.unpack_kept(space)?;
                    self.serve(protocol, space, count)?;
                }
                Phase::Open if P::CALLS && self.called => self.deliver(protocol, space)?,
                Phase::Open if !self.readable => return Ok(Turn::Wait),
                Phase::Open if may_read => {
                    may_read = false;
                    self.read(protocol, space)?;
                }
                Phase::Open => return Ok(Turn::Again),
                Phase::HalfClosed => return Ok(Turn::Closed),
                Phase::Finishing => self.linger(space.now),
                Phase::Lingering { .. } => return self.discard(space),
            }
        }
    }

    /// Puts the kept input to the front of the read buffer, which grows when it is full.
    #[inline]
    fn unpack_kept(&self, space: &mut Workspace) -> io::Result<usize> {
        let count = self.kept.len();
        if count > 0 {
            if count >= space.input.len() {
                if count > KEPT_LIMIT {
                    return Err(io::ErrorKind::OutOfMemory.into());
                }
                space.input.resize(2 * count, 0);
            }
            space.input[..count].copy_from_slice(&self.kept);
        }
        Ok(count)
    }

    #[inline]
    fn read(&mut self, protocol: &P, space: &mut Workspace) -> io::Result<()> {
        let held = self.unpack_kept(space)?;
        let room = space.input.len() - held;
        match socket::recv(&self.socket, &mut space.input[held..]) {
            Ok(0) => self.half_close(protocol, space),
            Ok(count) => {
                space.tally.received += count as u64;
                // Less than asked for: the socket is empty, and reports what comes next.
                self.readable = count == room || self.ending;
                self.serve(protocol, space, held + count)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn half_close(&mut self, protocol: &P, space: &mut Workspace) -> io::Result<()> {
        self.readable = false;
        self.phase = Phase::HalfClosed;
        space.out.clear();
        protocol.half_closed(&mut self.state, &mut space.out);
        self.send_out(space)
    }

    /// Sends what others have for it.
    fn deliver(&mut self, protocol: &P, space: &mut Workspace) -> io::Result<()> {
        space.out.clear();
        match protocol.deliver(&mut self.state, space.now, &mut space.out) {
            Delivery::Done => self.called = false,
            Delivery::More => {}
            Delivery::Close => self.phase = Phase::Finishing,
        }
        self.send_out(space)
    }

    /// Gives the first `count` bytes of the read buffer to the core and sends what it replies.
    #[inline]
    fn serve(&mut self, protocol: &P, space: &mut Workspace, count: usize) -> io::Result<()> {
        space.out.clear();
        let mut start = 0;
        loop {
            let rest = &space.input[start..count];
            let progress = protocol.receive(&mut self.state, rest, space.now, &mut space.out);
            let consumed = progress.consumed.min(rest.len());
            let taken = start;
            start += consumed;
            match progress.step {
                Step::Read => {
                    self.send_out(space)?;
                    break;
                }
                Step::Reflect { length } => {
                    self.reflect(space, taken, taken + length.min(consumed))?;
                    if start == count {
                        break;
                    }
                }
                Step::Body(body) => {
                    let (out, sender) = (&mut space.out, &mut space.sender);
                    match sender.inline(&body, out) {
                        Ok(true) => {}
                        Ok(false) => {
                            self.outbox.hold_body(&self.socket, out, &body, sender);
                            self.resume = true;
                            break;
                        }
                        Err(_) => {
                            self.outbox.hold_cut_short(out, sender);
                            break;
                        }
                    }
                }
                Step::Close => {
                    self.phase = Phase::Finishing;
                    start = count;
                    self.send_out(space)?;
                    break;
                }
            }
            if space.out.len() > OUT_LIMIT {
                self.send_out(space)?;
            }
            if !self.outbox.is_empty() {
                self.resume = true;
                break;
            }
        }
        self.keep(&space.input[start..count]);
        Ok(())
    }

    /// Keeps the unconsumed input.
    #[inline]
    fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            if self.kept.capacity() > 0 {
                self.kept = Vec::new();
            }
        } else {
            self.kept.clear();
            self.kept.extend_from_slice(rest);
        }
    }

    /// Sends the replies; what the socket does not take waits in the outbox.
    #[inline]
    fn send_out(&mut self, space: &mut Workspace) -> io::Result<()> {
        if space.out.is_empty() {
            return Ok(());
        }
        if !self.outbox.is_empty() {
            self.outbox.append(&space.out);
            space.out.clear();
            return Ok(());
        }
        let sent = send_some(&self.socket, &space.out, false)?;
        space.tally.sent += sent as u64;
        if sent == space.out.len() {
            space.out.clear();
        } else {
            self.outbox.hold(&mut space.out, sent, &mut space.sender);
        }
        Ok(())
    }

    /// Sends the replies and then part of the input, straight from the read buffer.
    #[inline]
    fn reflect(&mut self, space: &mut Workspace, start: usize, end: usize) -> io::Result<()> {
        self.send_out(space)?;
        let bytes = &space.input[start..end];
        let sent = if self.outbox.is_empty() {
            send_some(&self.socket, bytes, false)?
        } else {
            0
        };
        space.tally.sent += sent as u64;
        if sent < bytes.len() {
            self.outbox.append(&bytes[sent..]);
        }
        Ok(())
    }

    fn linger(&mut self, now: Millis) {
        socket::shutdown(&self.socket, Shutdown::Write);
        self.phase = Phase::Lingering {
            until: now + LINGER_MS,
        };
        self.kept = Vec::new();
    }

    /// Reads and drops. One read a turn, so that a flooding peer takes no more than its share.
    fn discard(&mut self, space: &mut Workspace) -> io::Result<Turn> {
        if !self.readable {
            return Ok(Turn::Wait);
        }
        match socket::recv(&self.socket, &mut space.input) {
            Ok(0) => Ok(Turn::Closed),
            Ok(count) => {
                space.tally.received += count as u64;
                Ok(Turn::Again)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(Turn::Wait)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Turn::Again),
            Err(error) => Err(error),
        }
    }

    fn tick_inner(&mut self, protocol: &P, space: &mut Workspace) -> io::Result<Turn> {
        if let Phase::Lingering { until } = self.phase {
            return Ok(if space.now >= until {
                Turn::Closed
            } else {
                Turn::Wait
            });
        }
        if self.outbox.take_moved() || self.outbox.is_empty() {
            self.watch.moved(space.now);
        } else {
            let held = socket::unacknowledged(&self.socket.as_fd());
            self.watch.look(space.now, held);
            if self.watch.is_stalled(space.now) {
                return Ok(Turn::Closed);
            }
        }
        if self.phase != Phase::Open {
            // What the peer was promised is still sent, then it ends.
            return Ok(Turn::Wait);
        }
        if !self.outbox.is_empty() {
            protocol.held_up(&mut self.state, space.now);
        }
        space.out.clear();
        let verdict = protocol.tick(&mut self.state, space.now, &mut space.out);
        self.send_out(space)?;
        if verdict == Tick::Close {
            self.phase = Phase::Finishing;
            if self.outbox.is_empty() {
                self.linger(space.now);
            }
        }
        Ok(Turn::Wait)
    }
}

/// Sends what the socket takes; 0 when it takes nothing now.
#[inline]
fn send_some(socket: impl AsFd, bytes: &[u8], more: bool) -> io::Result<usize> {
    let socket = socket.as_fd();
    loop {
        match socket::send(socket, bytes, more) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests;
