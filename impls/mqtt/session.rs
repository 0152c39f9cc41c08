//! One session: what waits for a client, connected or not, and what it has not acknowledged yet.
//!
//! Messages at QoS 0, and those for which the client has room, are written at once to a buffer that its
//! connection takes as a whole: many messages then leave in one send, and none of them is kept twice.
//! Others wait in a bounded queue; what does not fit is dropped and counted, so that a client that does
//! not read costs a bounded amount of memory and nobody's time.

mod kept;

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringside_engine::{Caller, Millis};
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version};

pub(crate) use self::kept::Messages;
use self::kept::Record;
use crate::aliases;
use crate::in_flight::{InFlight, identifier};
use crate::journal::Change;
use crate::message::{Message, Routed, subscription};
use crate::outgoing::{Outgoing, Taking};
use crate::registry::Wish;

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
    /// The connection that it belongs to; 0 for none.
    pub(crate) owner: u64,
    caller: Option<Caller>,
    /// The connection was called and has not looked yet.
    called: bool,
    version: Version,
    /// Messages that the client takes at a time, of QoS 1 and 2.
    receive_maximum: u16,
    /// Bytes of a packet that it takes.
    pub(crate) packet_max: u32,
    /// Seconds that it outlives its connection.
    pub(crate) expiry_s: u32,
    /// Connections that it lost so far.
    absences: u32,
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
    /// What it subscribed to, to be taken from the registry at its end.
    filters: HashMap<Box<str>, Wish>,
    /// Messages that it did not get, since it did not take what waited.
    dropped: u64,
    /// Numbers that the connection's client was given for topics, if it takes any.
    aliases: Option<Box<aliases::Outgoing>>,
    /// Where it is written down, when it outlives the broker.
    record: Option<Record>,
}

/// A message for the client.
#[derive(Debug, Clone)]
struct Queued {
    message: Arc<Message>,
    quality: QualityOfService,
    retain: bool,
    subscriptions: Vec<u32>,
}

/// The time from the end of a connection until the client comes back.
#[derive(Debug, Clone)]
pub(crate) struct Absence {
    pub(crate) session: Arc<Session>,
    number: u32,
}

/// A connection for a session.
#[derive(Debug)]
pub(crate) struct Attach {
    pub(crate) owner: u64,
    pub(crate) caller: Caller,
    pub(crate) version: Version,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_max: u32,
    /// Topics that the client takes a number for.
    pub(crate) aliases_max: u16,
    pub(crate) expiry_s: u32,
}

impl Session {
    /// For a client that was not known.
    pub(crate) fn new(client: &str, attach: Attach) -> Arc<Self> {
        let mut state = State {
            owner: attach.owner,
            caller: Some(attach.caller),
            called: false,
            version: attach.version,
            receive_maximum: attach.receive_maximum,
            packet_max: attach.packet_max,
            expiry_s: attach.expiry_s,
            absences: 0,
            more: None,
        };
        state.begin_aliases(attach.aliases_max);
        Arc::new(Self {
            client: client.into(),
            online: AtomicBool::new(true),
            state: Mutex::new(state),
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
        state.prolong(attach.expiry_s, &self.client);
        state.clear_outgoing();
        state.begin_aliases(attach.aliases_max);
        state.send_again(now);
    }

    /// Another session takes its place: its connection is told.
    pub(crate) fn evict(&self) {
        let mut state = self.state();
        self.online.store(false, Ordering::Relaxed);
        state.call();
        state.owner = 0;
        state.caller = None;
    }

    /// The connection `owner` is gone. `None` when the session belongs to another by now.
    pub(crate) fn detach(self: &Arc<Self>, owner: u64) -> Option<Absence> {
        let mut state = self.state();
        if state.owner != owner {
            return None;
        }
        self.online.store(false, Ordering::Relaxed);
        state.owner = 0;
        state.caller = None;
        state.clear_outgoing();
        state.absences = state.absences.wrapping_add(1);
        drop(state);
        Some(self.absence())
    }

    /// The absence that it is in, when it has no connection.
    pub(crate) fn absence(self: &Arc<Self>) -> Absence {
        Absence {
            session: Arc::clone(self),
            number: self.state().absences,
        }
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

impl Absence {
    /// The client did not come back since.
    pub(crate) fn lasts(&self) -> bool {
        let state = self.session.state();
        state.owner == 0 && state.absences == self.number
    }
}

impl State {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// It subscribes. True when it had not the same filter before; `None` when it is not the connection's
    /// any more that asks for it.
    pub(crate) fn subscribe(&mut self, owner: u64, filter: &str, wish: Wish) -> Option<bool> {
        if self.owner != owner {
            return None;
        }
        let is_new = self.more().filters.insert(filter.into(), wish).is_none();
        self.note(|| kept::subscribed(filter, wish));
        Some(is_new)
    }

    /// It subscribed to a filter.
    pub(crate) fn wants(&self, filter: &str) -> bool {
        let more = self.more.as_ref();
        more.is_some_and(|more| more.filters.contains_key(filter))
    }

    /// It does not want a filter any more. False when it had it not.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> bool {
        let had = self.more().filters.remove(filter).is_some();
        if had {
            self.note(|| Change::Unsubscribed { filter });
        }
        had
    }

    /// What it subscribed to.
    pub(crate) fn filters(&self) -> impl Iterator<Item = (&str, Wish)> {
        let filters = self.more.iter().flat_map(|more| &more.filters);
        filters.map(|(filter, wish)| (&**filter, *wish))
    }

    /// It is over. Its filters, to be taken from the registry.
    pub(crate) fn end(&mut self) -> impl Iterator<Item = Box<str>> + use<> {
        self.stop_keeping();
        let more = self.more.as_mut();
        more.map_or_else(HashMap::new, |more| mem::take(&mut more.filters))
            .into_keys()
    }

    /// Messages that it did not get.
    pub(crate) fn dropped(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.dropped)
    }

    /// Whether messages wait for room.
    fn has_queued(&self) -> bool {
        self.more
            .as_ref()
            .is_some_and(|more| !more.queue.is_empty() || more.in_flight.waiting_again() > 0)
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
        if (matched.is_empty() && !self.has_aliases()) || version == Version::V311 {
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
        let properties = own.chain(matched.iter().map(subscription)).collect();
        let publish = encode::Publish {
            duplicate: false,
            quality,
            retain,
            topic: routed.topic,
            identifier: number,
            properties: &[],
            payload: routed.payload,
        };
        self.append_publish(publish, properties)
    }

    /// The client takes numbers for topics.
    fn has_aliases(&self) -> bool {
        self.more
            .as_ref()
            .is_some_and(|more| more.aliases.is_some())
    }

    /// Another connection, whose client takes so many numbers for topics and knows none.
    fn begin_aliases(&mut self, max: u16) {
        let aliases = (max > 0).then(|| Box::new(aliases::Outgoing::new(max)));
        if let Some(more) = &mut self.more {
            more.aliases = aliases;
        } else if aliases.is_some() {
            self.more().aliases = aliases;
        }
    }

    /// Appends a PUBLISH with these properties, and a number instead of its topic where the client knows it.
    fn append_publish(
        &mut self,
        publish: encode::Publish<'_>,
        mut properties: Vec<(PropertyId, Value<'_>)>,
    ) -> bool {
        let version = self.version;
        let more = self.more.as_ref().filter(|_| version == Version::V5);
        let aliases = more.and_then(|more| more.aliases.as_ref());
        let alias = aliases.and_then(|aliases| aliases.number(publish.topic));
        let topic = match alias {
            Some((_, true)) => "",
            _ => publish.topic,
        };
        let number = |(number, _): (u16, bool)| Value::Number(number.into());
        properties.extend(alias.map(|alias| (PropertyId::TOPIC_ALIAS, number(alias))));
        let properties = &properties;
        let written = self.append(|out| {
            let publish = encode::Publish {
                topic,
                properties,
                ..publish
            };
            encode::publish(out, version, &publish);
        });
        if let (true, Some((number, false))) = (written, alias)
            && let Some(aliases) = &mut self.more().aliases
        {
            aliases.told(publish.topic, number);
        }
        written
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
                return;
            }
            self.note_queued(kept.as_ref());
            self.more().queue.extend(kept);
            return;
        }
        let number = self.more().in_flight.take_number();
        if self.write(routed, (quality, retain, identifier(number)), matched) {
            self.note_queued(kept.as_ref());
            self.note(|| Change::Sent { number });
            self.more().in_flight.push(number, quality, kept);
            self.call();
        }
    }

    /// The client takes another message of QoS 1 or 2.
    fn has_room(&self) -> bool {
        let under_way = self.more.as_ref().map_or(0, |more| {
            more.in_flight.len() - more.in_flight.waiting_again()
        });
        self.caller.is_some()
            && under_way < usize::from(self.receive_maximum)
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

    /// Writes what is to be sent again and then what is queued, as far as the client has room.
    fn write_queued(&mut self, now: Millis) {
        self.write_unacknowledged_again(now);
        while self.has_room()
            && let Some(queued) = self.more.as_mut().and_then(|more| more.queue.pop_front())
        {
            if !queued.message.is_current(now) {
                self.note(|| Change::Skipped);
                continue;
            }
            let number = self.more().in_flight.take_number();
            if !self.write_again(&queued, identifier(number), false, now) {
                self.note(|| Change::Skipped);
                continue;
            }
            self.note(|| Change::Sent { number });
            let quality = queued.quality;
            let again = (self.expiry_s > 0).then_some(queued);
            self.more().in_flight.push(number, quality, again);
        }
    }

    fn write_again(&mut self, queued: &Queued, number: u16, duplicate: bool, now: Millis) -> bool {
        let message = &queued.message;
        let publish = encode::Publish {
            duplicate,
            quality: queued.quality,
            retain: queued.retain,
            topic: &message.topic,
            identifier: number,
            properties: &[],
            payload: &message.payload,
        };
        self.append_publish(publish, message.properties(&queued.subscriptions, now))
    }

    fn send_again(&mut self, now: Millis) {
        let Some(more) = &mut self.more else {
            return;
        };
        more.in_flight.begin_again();
        let released: Vec<_> = more.in_flight.released().map(identifier).collect();
        self.write_unacknowledged_again(now);
        for number in released {
            let (version, kind, reason) = (self.version, Kind::PubRel, Reason::SUCCESS);
            self.append(|out| encode::acknowledge(out, version, kind, number, reason, &[]));
        }
        if self.waiting() > 0 || self.has_queued() {
            self.call();
        }
    }

    /// Writes what another connection did not acknowledge, as far as the client has room (MQTT 5.0, 4.4 and
    /// 4.9). What is too long for it by now counts as sent, and nobody will acknowledge it.
    fn write_unacknowledged_again(&mut self, now: Millis) {
        while self.has_room()
            && let Some((number, queued)) = self.next_again()
        {
            let fits = queued
                .is_none_or(|queued| self.write_again(&queued, identifier(number), true, now));
            self.more().in_flight.sent_again(number);
            if !fits {
                self.more().in_flight.finish(identifier(number));
                self.note(|| Change::Done { number });
            }
        }
    }

    fn next_again(&self) -> Option<(u64, Option<Queued>)> {
        let (number, queued) = self.more.as_ref()?.in_flight.next_again()?;
        Some((number, queued.clone()))
    }

    /// PUBACK or PUBCOMP, or a PUBREC that refuses: the message is done with.
    pub(crate) fn done(&mut self, identifier: u16) {
        if let Some(number) = self.more().in_flight.finish(identifier) {
            self.note(|| Change::Done { number });
            if self.has_queued() {
                self.call();
            }
        }
    }

    /// PUBREC: the message is with the client. Says how PUBREL answers.
    pub(crate) fn release(&mut self, identifier: u16) -> Reason {
        let Some(number) = self.more().in_flight.release(identifier) else {
            return Reason::PACKET_IDENTIFIER_NOT_FOUND;
        };
        self.note(|| Change::Released { number });
        Reason::SUCCESS
    }

    /// A message of QoS 2 came. False when it came before.
    pub(crate) fn receive_once(&mut self, identifier: u16) -> bool {
        let first = self.more().received.insert(identifier);
        if first {
            self.note(|| Change::Received { identifier });
        }
        first
    }

    /// PUBREL: the client will not send it again.
    pub(crate) fn forget_received(&mut self, identifier: u16) -> Reason {
        if !self.more().received.remove(&identifier) {
            return Reason::PACKET_IDENTIFIER_NOT_FOUND;
        }
        self.note(|| Change::Forgotten { identifier });
        Reason::SUCCESS
    }
}
