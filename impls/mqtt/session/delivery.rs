//! Messages on their way to the client: written at once, queued, and sent again.

use ringside_engine::Millis;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version};

use super::{Queued, State};
use crate::aliases;
use crate::in_flight::identifier;
use crate::journal::Change;
use crate::message::{Routed, subscription};
use crate::outgoing::{Outgoing, Taking};

/// Bytes that wait for the connection to take them; beyond it messages are queued, or dropped at QoS 0.
const PENDING_MAX: usize = 512 << 10;

/// Messages queued for one client.
const QUEUE_MAX: usize = 1000;

impl State {
    pub(super) fn write_unacknowledged(
        &mut self,
        routed: &mut Routed<'_>,
        retain: bool,
        matched: &[u32],
    ) {
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
    pub(super) fn begin_aliases(&mut self, max: u16) {
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

    pub(super) fn write_or_queue(
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
            if self.is_full(routed.now) {
                self.more().dropped += 1;
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

    /// There is no place in the queue, and what has waited longest is not out of date either.
    fn is_full(&mut self, now: Millis) -> bool {
        if self.more().queue.len() < QUEUE_MAX {
            return false;
        }
        while let Some(first) = self.more().queue.front()
            && !first.message.is_current(now)
        {
            self.more().queue.pop_front();
            self.note(|| Change::Skipped);
        }
        self.more().queue.len() >= QUEUE_MAX
    }

    /// The client takes another message of QoS 1 or 2.
    pub(super) fn has_room(&self) -> bool {
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

    pub(super) fn clear_outgoing(&mut self) {
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

    pub(super) fn send_again(&mut self, now: Millis) {
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
