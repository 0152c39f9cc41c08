//! What comes: received bytes, and the core that they are shown to.

use std::mem;
use std::ops::Range;

use ringside_metal::ring::{Completion, Payload, ProvidedBuffer};
use rustix::io::Errno;

use super::{Connection, Event, Phase, Shared, tag};
use crate::uring::settings::{BUFFER_SIZE, BUFFERS};
use crate::uring::transfer::Transfer;
use crate::{BodyMode, Content, Protocol, Step};

/// Bytes of input that may wait; then receiving stops, and TCP slows the peer down.
const INPUT_MAX: usize = 64 << 10;

/// Bytes of replies that may wait behind a send before receiving goes on by single operations, until
/// nothing is sent and one of them finds less than a buffer. A multishot receive takes all that lies in the socket,
/// megabytes of it, before the loop sees the first of it; a single one takes a buffer. A peer that does
/// not read leaves behind at most [`INPUT_MAX`], twice `OUT_MAX` (in flight and waiting) and what came
/// at once before.
const BEHIND: usize = 64 << 10;

/// Bodies up to this length are copied behind their head: one send of 16 KiB costs less than two, and
/// the copy about 1 us.
const COALESCE_MAX: u64 = 16 << 10;

/// Bytes asked for by a receive into an owned buffer.
const OWNED_SIZE: usize = 16 << 10;

impl<C> Connection<C> {
    pub(super) fn received<P: Protocol<Connection = C>>(
        &mut self,
        completion: Completion,
        shared: &mut Shared<P>,
    ) {
        if !completion.more {
            self.receiving = false;
        }
        match (completion.result, completion.payload) {
            (_, payload) if self.phase == Phase::Dead => {
                if let Payload::Bytes(bytes) = payload {
                    shared.keep(bytes);
                }
            }
            (Ok(0), _) => self.ended = true,
            (Ok(count), payload) => {
                shared.totals.received += u64::from(count);
                self.flooded &= count >= BUFFER_SIZE || self.sending;
                match payload {
                    Payload::Provided(buffer) => self.take_provided(buffer, shared),
                    Payload::Bytes(bytes) => self.take_owned(bytes, shared),
                    _ => {}
                }
            }
            (Err(Errno::NOBUFS), _) => shared.starved.push(self.index),
            (Err(Errno::CANCELED | Errno::INTR | Errno::AGAIN), _) => {}
            // ECONNRESET and the like: nobody is left to answer.
            (Err(_), _) => self.abort(shared),
        }
    }

    fn take_provided<P: Protocol<Connection = C>>(
        &mut self,
        buffer: ProvidedBuffer,
        shared: &mut Shared<P>,
    ) {
        if self.phase != Phase::Open {
            return;
        }
        if self.blocked() || !self.input.is_empty() {
            self.input.extend_from_slice(&buffer);
            self.hungry = false;
            return;
        }
        let (consumed, reflected) = self.feed(&buffer, true, shared);
        match reflected {
            Some(range) => self.send(Payload::Provided(buffer), range, shared),
            None => self.store(&buffer[consumed..], shared),
        }
    }

    fn take_owned<P: Protocol<Connection = C>>(&mut self, bytes: Vec<u8>, shared: &mut Shared<P>) {
        if self.phase != Phase::Open {
            return shared.keep(bytes);
        }
        if self.blocked() || !self.input.is_empty() {
            self.input.extend_from_slice(&bytes);
            self.hungry = false;
            return shared.keep(bytes);
        }
        let (consumed, reflected) = self.feed(&bytes, true, shared);
        match reflected {
            Some(range) => self.send(Payload::Bytes(bytes), range, shared),
            None => {
                self.store(&bytes[consumed..], shared);
                shared.keep(bytes);
            }
        }
    }

    /// Keeps what the core did not take.
    fn store<P>(&mut self, rest: &[u8], shared: &mut Shared<P>) {
        if !rest.is_empty() {
            self.input = shared.spare();
            self.input.extend_from_slice(rest);
        }
    }

    /// Shows input to the core until it waits for more. Gives what was consumed, and the part that
    /// can be sent back from where it lies, when that is all there is to send.
    fn feed<P: Protocol<Connection = C>>(
        &mut self,
        input: &[u8],
        may_reflect: bool,
        shared: &mut Shared<P>,
    ) -> (usize, Option<Range<usize>>) {
        if self.out.capacity() == 0 {
            self.out = shared.spare();
        }
        let mut consumed = 0;
        self.hungry = false;
        loop {
            let progress = shared.protocol.receive(
                &mut self.core,
                &input[consumed..],
                shared.now,
                &mut self.out,
            );
            let start = consumed;
            consumed += progress.consumed;
            match progress.step {
                Step::Read => {
                    self.hungry = true;
                    break;
                }
                Step::Reflect { length } => {
                    let range = start..start + length;
                    let alone = !self.sending && self.out.is_empty() && consumed == input.len();
                    // A buffer in flight to a slow peer is one that nobody can receive into.
                    let plenty = shared.ring.buffers_available() >= BUFFERS / 4;
                    if may_reflect && alone && (plenty || !shared.settings.provided) {
                        self.hungry = true;
                        return (consumed, Some(range));
                    }
                    self.out.extend_from_slice(&input[range]);
                    if consumed == input.len() || progress.consumed == 0 {
                        self.hungry = true;
                        break;
                    }
                }
                Step::Body(body) => self.begin_body(body, shared),
                Step::Close => {
                    self.phase = Phase::Closing;
                }
            }
            if self.blocked() {
                break;
            }
        }
        (consumed, None)
    }

    fn begin_body<P>(&mut self, body: crate::Body, shared: &mut Shared<P>) {
        match &body.content {
            _ if body.length == 0 => {}
            Content::Memory(bytes)
                if body.length <= COALESCE_MAX && shared.body != BodyMode::SendZc =>
            {
                let start = usize::try_from(body.offset).unwrap_or(usize::MAX);
                let length = usize::try_from(body.length).unwrap_or(usize::MAX);
                match bytes.get(start..).and_then(|rest| rest.get(..length)) {
                    Some(part) => self.out.extend_from_slice(part),
                    // A core that promises more than it has. What is before it still goes.
                    None => self.phase = Phase::Closing,
                }
            }
            _ => match Transfer::new(body, shared.body, &mut shared.totals) {
                Ok(transfer) => self.transfer = Some(Box::new(transfer)),
                Err(_) => self.phase = Phase::Closing,
            },
        }
    }

    /// Shows the waiting input to the core again, which after a body it wants even when empty. True
    /// when that led to something.
    pub(super) fn resume<P: Protocol<Connection = C>>(
        &mut self,
        after_body: bool,
        shared: &mut Shared<P>,
    ) -> bool {
        if self.phase != Phase::Open || (self.input.is_empty() && !after_body) {
            return false;
        }
        let mut input = mem::take(&mut self.input);
        let (consumed, _) = self.feed(&input, false, shared);
        if self.phase == Phase::Dead || consumed == input.len() {
            shared.keep(input);
        } else {
            input.drain(..consumed);
            self.input = input;
        }
        consumed > 0 || self.blocked()
    }

    /// More is received than the peer takes back.
    fn is_behind(&self) -> bool {
        self.sending
            && (self.out.len() >= BEHIND || self.transfer.is_some() && !self.input.is_empty())
    }

    /// Starts to receive, or stops, as the room for input says.
    pub(in crate::uring) fn receive<P>(&mut self, shared: &mut Shared<P>) {
        let Some(socket) = &self.socket else { return };
        let tag = tag(Event::Received, self.index);
        let full = self.phase == Phase::Open && self.blocked() && self.input.len() >= INPUT_MAX;
        if self.receiving {
            // Asked for again while bytes still come: a cancel may miss a receive that is at work.
            if self.multishot && (full || self.is_behind()) {
                shared.ring.cancel_receive(tag);
                if !mem::replace(&mut self.flooded, true) && !shared.settings.setup().defer_taskrun
                {
                    // What is not deferred goes on while this batch is worked on, so that there may
                    // be no next wait for long. An error shows again there.
                    let _ = shared.ring.submit();
                }
            }
            return;
        }
        let waits = full || shared.starved.last() == Some(&self.index);
        if self.ended || waits {
            return;
        }
        self.multishot = shared.settings.provided && shared.settings.multishot && !self.flooded;
        match (shared.settings.provided, self.multishot) {
            (true, true) => shared.ring.receive_multishot(socket, tag),
            (true, false) => shared.ring.receive_provided(socket, tag),
            (false, _) => {
                let bytes = shared.spare();
                let Some(socket) = &self.socket else { return };
                shared.ring.receive_owned(socket, bytes, OWNED_SIZE, tag);
            }
        }
        self.receiving = true;
        self.pending += 1;
    }
}
