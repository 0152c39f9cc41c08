//! One session: what waits for a client, connected or not, and what it has not acknowledged yet.
//!
//! Messages at QoS 0, and those for which the client has room, are written at once to a buffer that its
//! connection takes as a whole: many messages then leave in one send, and none of them is kept twice.
//! Others wait in a bounded queue; what does not fit is dropped and counted, so that a client that does
//! not read costs a bounded amount of memory and nobody's time.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringside_engine::{Caller, Millis};
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version};

use crate::in_flight::InFlight;
use crate::message::{Message, Routed, identifier};
use crate::outgoing::{Outgoing, Taking};

/// Bytes that wait for the connection to take them; beyond it messages are queued, or dropped at QoS 0.
const PENDING_MAX: usize = 512 << 10;

/// Messages queued for one client.
const QUEUE_MAX: usize = 1000;

/// What of a session anybody may need to know.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Box<str>,
    online: AtomicBool,
    state: Mutex<State>,
}

/// The state of a session.
#[derive(Debug)]
pub(crate) struct State {
    /// The connection that it belongs to, or the one that it had last; 0 when another session took its place.
    pub(crate) owner: u64,
    caller: Option<Caller>,
    /// The connection was called and has not looked yet.
    called: bool,
    version: Version,
    /// Messages that the client takes at a time, of QoS 1 and 2.
    receive_maximum: u16,
    /// Bytes of a packet that it takes.
    packet_max: u32,
    /// Seconds that it outlives its connection.
    pub(crate) expiry_s: u32,
    /// What a client without subscriptions, that publishes at most at QoS 1, never needs: most that stay
    /// are such.
    more: Option<Box<More>>,
}

/// The part of a session that it may never need.
#[derive(Debug, Default)]
struct More {
    /// Written and not yet taken.
    outgoing: Outgoing,
    /// What was sent and is not acknowledged. For sending it again it is kept in a session that outlives
    /// its connection, and only there.
    in_flight: InFlight<Option<Queued>>,
    queue: VecDeque<Queued>,
    /// Packet identifiers of messages of QoS 2 that the client has not released.
    received: HashSet<u16>,
    /// Its filters, to be taken from the registry at its end.
    filters: HashSet<Box<str>>,
    /// Messages that it did not get, since it did not take what waited.
    dropped: u64,
}

#[derive(Debug, Clone)]
struct Queued {
    message: Arc<Message>,
    quality: QualityOfService,
    retain: bool,
    subscriptions: Vec<u32>,
}

/// A connection for a session.
#[derive(Debug)]
pub(crate) struct Attach {
    pub(crate) owner: u64,
    pub(crate) caller: Caller,
    pub(crate) version: Version,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_max: u32,
    pub(crate) expiry_s: u32,
}

impl Session {
    /// For a client that was not known.
    pub(crate) fn new(client: &str, attach: Attach) -> Arc<Self> {
        Arc::new(Self {
            client: client.into(),
            online: AtomicBool::new(true),
            state: Mutex::new(State {
                owner: attach.owner,
                caller: Some(attach.caller),
                called: false,
                version: attach.version,
                receive_maximum: attach.receive_maximum,
                packet_max: attach.packet_max,
                expiry_s: attach.expiry_s,
                more: None,
            }),
        })
    }

    /// Its state.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True while it has a connection.
    pub(crate) fn is_online(&self) -> bool {
        // Relaxed: a hint for the choice of a member; the state decides.
        self.online.load(Ordering::Relaxed)
    }

    /// The session goes on over another connection: what was in flight is sent again (4.4).
    pub(crate) fn attach(&self, attach: Attach, now: Millis) {
        let mut state = self.state();
        self.online.store(true, Ordering::Relaxed);
        state.call();
        state.owner = attach.owner;
        state.caller = Some(attach.caller);
        state.called = false;
        state.version = attach.version;
        state.receive_maximum = attach.receive_maximum;
        state.packet_max = attach.packet_max;
        state.expiry_s = attach.expiry_s;
        state.clear_outgoing();
        state.send_again(now);
    }

    /// Another session takes its place: its connection is told.
    pub(crate) fn evict(&self) {
        let mut state = self.state();
        self.online.store(false, Ordering::Relaxed);
        state.call();
        // One that is away has nobody to tell, and its will is still due.
        if state.caller.take().is_some() {
            state.owner = 0;
        }
    }

    /// The connection `owner` is gone. False when the session belongs to another by now.
    pub(crate) fn detach(&self, owner: u64) -> bool {
        let mut state = self.state();
        if state.owner != owner || state.caller.is_none() {
            return false;
        }
        self.online.store(false, Ordering::Relaxed);
        state.caller = None;
        state.clear_outgoing();
        true
    }

    /// It has had no connection since `owner`.
    pub(crate) fn is_away_since(&self, owner: u64) -> bool {
        let state = self.state();
        state.owner == owner && state.caller.is_none()
    }

    /// Gives it a message that was routed to it.
    pub(crate) fn deliver(
        &self,
        routed: &mut Routed<'_>,
        quality: QualityOfService,
        retain: bool,
        subscriptions: &[u32],
    ) {
        let mut state = self.state();
        if quality == QualityOfService::AtMostOnce {
            state.write_unacknowledged(routed, retain, subscriptions);
        } else {
            state.write_or_queue(routed, quality, retain, subscriptions);
        }
    }
}

impl State {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Its filters, to be changed.
    pub(crate) fn filters(&mut self) -> &mut HashSet<Box<str>> {
        &mut self.more().filters
    }

    /// Its filters; it has none from here on.
    pub(crate) fn take_filters(&mut self) -> HashSet<Box<str>> {
        self.more
            .as_mut()
            .map_or_else(HashSet::new, |more| mem::take(&mut more.filters))
    }

    /// Messages that it did not get.
    pub(crate) fn dropped(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.dropped)
    }

    /// Whether messages wait for room.
    fn has_queued(&self) -> bool {
        self.more
            .as_ref()
            .is_some_and(|more| !more.queue.is_empty())
    }

    /// Has the connection look, unless it will anyway.
    fn call(&mut self) {
        if let Some(caller) = &self.caller
            && !mem::replace(&mut self.called, true)
        {
            caller.call();
        }
    }

    fn write_unacknowledged(&mut self, routed: &mut Routed<'_>, retain: bool, matched: &[u32]) {
        if self.caller.is_none() {
            // Nothing is kept for a client that is away (MQTT 5.0, 4.1).
            return;
        }
        if self.waiting() > PENDING_MAX {
            self.more().dropped += 1;
            return;
        }
        self.write(routed, (QualityOfService::AtMostOnce, retain, 0), matched);
        self.call();
    }

    /// Appends the message; `sent` is its quality, retain flag and packet identifier. False when it is
    /// larger than the client takes.
    fn write(
        &mut self,
        routed: &mut Routed<'_>,
        sent: (QualityOfService, bool, u16),
        matched: &[u32],
    ) -> bool {
        let (version, (quality, retain, number)) = (self.version, sent);
        if matched.is_empty() || version == Version::V311 {
            let (bytes, at) = routed.form(version, quality, retain);
            return self.append(|out| {
                let begin = out.len();
                out.extend_from_slice(bytes);
                if let Some(at) = at {
                    out[begin + at..begin + at + 2].copy_from_slice(&number.to_be_bytes());
                }
            });
        }
        let own = routed.properties.iter().copied();
        let properties: Vec<_> = own.chain(matched.iter().map(identifier)).collect();
        let publish = encode::Publish {
            duplicate: false,
            quality,
            retain,
            topic: routed.topic,
            identifier: number,
            properties: &properties,
            payload: routed.payload,
        };
        self.append(|out| {
            encode::publish(out, version, &publish);
        })
    }

    /// Appends the packet that `write` writes. One that is larger than the client takes is not sent (MQTT
    /// 5.0, 3.1.2.11.4); false then.
    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let packet_max = self.packet_max;
        let more = self.more();
        let fits = more.outgoing.write(packet_max, write);
        more.dropped += u64::from(!fits);
        fits
    }

    fn write_or_queue(
        &mut self,
        routed: &mut Routed<'_>,
        quality: QualityOfService,
        retain: bool,
        matched: &[u32],
    ) {
        let persistent = self.expiry_s > 0;
        if self.caller.is_none() && !persistent {
            return;
        }
        let room = self.has_room() && !self.has_queued();
        let kept = (!room || persistent).then(|| Queued {
            message: routed.kept(),
            quality,
            retain,
            subscriptions: matched.to_vec(),
        });
        if !room {
            let more = self.more();
            if more.queue.len() >= QUEUE_MAX {
                more.dropped += 1;
            } else {
                more.queue.extend(kept);
            }
            return;
        }
        let number = self.more().in_flight.take_identifier();
        if self.write(routed, (quality, retain, number), matched) {
            self.more().in_flight.push(quality, kept);
            self.call();
        }
    }

    /// The client takes another message of QoS 1 or 2.
    fn has_room(&self) -> bool {
        self.caller.is_some()
            && self.more.as_ref().map_or(0, |more| more.in_flight.len())
                < usize::from(self.receive_maximum)
            && self.waiting() <= PENDING_MAX
    }

    /// Bytes that wait for the connection to take them.
    fn waiting(&self) -> usize {
        self.more.as_ref().map_or(0, |more| more.outgoing.len())
    }

    fn clear_outgoing(&mut self) {
        if let Some(more) = &mut self.more {
            more.outgoing = Outgoing::default();
        }
    }

    /// Gives the connection what waits, as much as it takes at once. True when there is more.
    pub(crate) fn take(&mut self, out: &mut Vec<u8>, now: Millis, taking: Taking) -> bool {
        self.write_queued(now);
        let more = self.more.as_mut();
        let left = more.is_some_and(|more| more.outgoing.take(out, taking));
        // What is queued now waits for an acknowledgement, which calls.
        self.called = left || (self.has_queued() && self.has_room());
        self.called
    }

    /// Writes what is queued, as far as the client has room.
    fn write_queued(&mut self, now: Millis) {
        while self.has_room()
            && let Some(queued) = self.more.as_mut().and_then(|more| more.queue.pop_front())
        {
            if !queued.message.is_current(now) {
                continue;
            }
            let number = self.more().in_flight.take_identifier();
            if self.write_again(&queued, number, false, now) {
                let quality = queued.quality;
                let again = (self.expiry_s > 0).then_some(queued);
                self.more().in_flight.push(quality, again);
            }
        }
    }

    fn write_again(&mut self, queued: &Queued, number: u16, duplicate: bool, now: Millis) -> bool {
        let (version, message) = (self.version, &queued.message);
        let publish = encode::Publish {
            duplicate,
            quality: queued.quality,
            retain: queued.retain,
            topic: &message.topic,
            identifier: number,
            properties: &message.properties(&queued.subscriptions, now),
            payload: &message.payload,
        };
        self.append(|out| {
            encode::publish(out, version, &publish);
        })
    }

    fn send_again(&mut self, now: Millis) {
        let Some(more) = &mut self.more else {
            return;
        };
        let in_flight = mem::take(&mut more.in_flight);
        for (number, queued) in in_flight.unacknowledged() {
            if let Some(queued) = queued {
                self.write_again(queued, number, true, now);
            }
        }
        for number in in_flight.released() {
            let (version, kind, reason) = (self.version, Kind::PubRel, Reason::SUCCESS);
            self.append(|out| encode::acknowledge(out, version, kind, number, reason, &[]));
        }
        self.more().in_flight = in_flight;
        if self.waiting() > 0 || self.has_queued() {
            self.call();
        }
    }

    /// PUBACK or PUBCOMP, or a PUBREC that refuses: the message is done with.
    pub(crate) fn done(&mut self, number: u16) {
        if self.more().in_flight.finish(number) && self.has_queued() {
            self.call();
        }
    }

    /// PUBREC: the message is with the client. Says how PUBREL answers.
    pub(crate) fn release(&mut self, number: u16) -> Reason {
        if self.more().in_flight.release(number) {
            Reason::SUCCESS
        } else {
            Reason::PACKET_IDENTIFIER_NOT_FOUND
        }
    }

    /// A message of QoS 2 came. False when it came before.
    pub(crate) fn receive_once(&mut self, number: u16) -> bool {
        self.more().received.insert(number)
    }

    /// PUBREL: the client will not send it again.
    pub(crate) fn forget_received(&mut self, number: u16) -> Reason {
        if self.more().received.remove(&number) {
            Reason::SUCCESS
        } else {
            Reason::PACKET_IDENTIFIER_NOT_FOUND
        }
    }
}
