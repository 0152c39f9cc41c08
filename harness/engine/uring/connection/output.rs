//! What goes: replies and bodies, one send in flight at a time.

use std::mem;
use std::ops::Range;

use ringside_metal::ring::{Completion, Payload};
use rustix::io::Errno;

use super::{Connection, Event, Phase, Shared, tag};
use crate::uring::transfer::Advance;
use crate::{Delivery, Protocol};

impl<C> Connection<C> {
    pub(super) fn sent<P: Protocol<Connection = C>>(
        &mut self,
        completion: Completion,
        shared: &mut Shared<P>,
    ) {
        if completion.notification {
            // The bytes of a zero-copy send are free; nothing waited for that.
            return;
        }
        self.sending = false;
        let payload = completion.payload;
        match completion.result {
            _ if self.phase == Phase::Dead => {}
            Ok(count) => {
                shared.totals.sent += u64::from(count);
                self.unsent.start += count as usize;
                if count > 0 {
                    self.watch.moved(shared.now);
                    self.asked = false;
                }
                match &mut self.transfer {
                    Some(transfer) if transfer.is_sending() => {
                        let left = self.unsent.clone();
                        if !transfer.sent(count, left, payload) {
                            self.abort(shared);
                        }
                        return;
                    }
                    _ if !self.unsent.is_empty() && count > 0 => {
                        let range = self.unsent.clone();
                        return self.send(payload, range, shared);
                    }
                    _ => {}
                }
            }
            Err(Errno::INTR | Errno::AGAIN) if !self.unsent.is_empty() && !self.asked => {
                let range = self.unsent.clone();
                match &mut self.transfer {
                    Some(transfer) if transfer.is_sending() => transfer.interrupted(range, payload),
                    _ => self.send(payload, range, shared),
                }
                return;
            }
            Err(_) => self.abort(shared),
        }
        if let Payload::Bytes(bytes) = payload {
            shared.keep(bytes);
        }
    }

    /// Sends the replies that wait.
    fn flush<P>(&mut self, shared: &mut Shared<P>) {
        let out = mem::take(&mut self.out);
        let range = 0..out.len();
        self.send(Payload::Bytes(out), range, shared);
    }

    pub(super) fn send<P>(
        &mut self,
        payload: Payload,
        range: Range<usize>,
        shared: &mut Shared<P>,
    ) {
        let Some(socket) = &self.socket else { return };
        self.unsent = range.clone();
        let more = self.transfer.is_some();
        shared
            .ring
            .send(socket, payload, range, more, tag(Event::Sent, self.index));
        self.sending = true;
        self.pending += 1;
    }

    /// Takes what others have for it, behind the replies that wait.
    fn deliver<P: Protocol<Connection = C>>(&mut self, shared: &mut Shared<P>) {
        if self.out.capacity() == 0 {
            self.out = shared.spare();
        }
        let (core, now) = (&mut self.core, shared.now);
        match shared.protocol.deliver(core, now, &mut self.out) {
            Delivery::Done => self.called = false,
            Delivery::More => {}
            Delivery::Close => self.phase = Phase::Closing,
        }
    }

    /// Does what can be done without waiting: sends, shows waiting input to the core, receives.
    pub(super) fn go_on<P: Protocol<Connection = C>>(&mut self, shared: &mut Shared<P>) {
        loop {
            if self.phase == Phase::Dead {
                return;
            }
            if let Some(transfer) = &mut self.transfer {
                let Some(socket) = &self.socket else { return };
                let out = &mut self.out;
                match transfer.advance(socket, self.index, out, self.sending, shared) {
                    Advance::Started { operations, unsent } => {
                        self.pending += operations;
                        if let Some(unsent) = unsent {
                            self.sending = true;
                            self.unsent = unsent;
                        }
                        break;
                    }
                    Advance::Flush => {
                        self.flush(shared);
                        // A copy may read meanwhile.
                        continue;
                    }
                    Advance::Waiting => break,
                    Advance::CutShort => {
                        self.transfer = None;
                        self.phase = Phase::Closing;
                        continue;
                    }
                    Advance::Done => {
                        self.transfer = None;
                        self.resume(true, shared);
                        continue;
                    }
                }
            }
            if P::CALLS && self.called && !self.sending && self.phase == Phase::Open {
                self.deliver(shared);
            }
            if !self.sending && !self.out.is_empty() {
                self.flush(shared);
            }
            if self.hungry || self.blocked() || !self.resume(false, shared) {
                break;
            }
        }
        self.settle(shared);
    }
}
