//! What one connection does with each packet.

use std::sync::Arc;

use ringside_engine::{Millis, plant};
use ringside_wire::mqtt::encode::{self, List};
use ringside_wire::mqtt::header::{self, Kind};
use ringside_wire::mqtt::packet::{self, Acknowledge, Connect, Farewell, Packet, Publish};
use ringside_wire::mqtt::packet::{Subscribe, Unsubscribe};
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Refusal, Version};

use super::{Connection, PACKET_MAX};
use crate::aliases::ALIASES_MAX;
use crate::broker::Will;
use crate::memory::Own;
use crate::message::{Message, Routed};
use crate::session::{Attach, Session};

/// Bytes of a CONNACK of 5.0 that refuses.
const REFUSAL: u32 = 5;

/// How the connection goes on behind a packet.
enum Next {
    GoOn,
    /// The client said goodbye.
    End,
    /// It is told why, where its version has words for that.
    Refuse(Refusal),
}

impl Connection {
    /// Ends the connection, and says why: in a CONNACK when nothing else was said yet, in a DISCONNECT
    /// of 5.0 later, or not at all.
    pub(super) fn refuse(&mut self, reason: Reason, out: &mut Vec<u8>) {
        let was_welcome = self.session.is_some();
        self.end(was_welcome, reason, out);
    }

    fn end(&mut self, was_welcome: bool, reason: Reason, out: &mut Vec<u8>) {
        self.ended = true;
        match (was_welcome, self.version) {
            (true, Version::V5) => {
                encode::farewell(out, Version::V5, Kind::Disconnect, reason, &[]);
            }
            (false, Version::V5) => encode::conn_ack(out, Version::V5, false, reason.0, &[]),
            (false, Version::V311) => {
                if let Some(code) = reason.connect_return_code() {
                    encode::conn_ack(out, Version::V311, false, code, &[]);
                }
            }
            (true, Version::V311) => {}
        }
    }

    /// Takes the whole packets of the input. Gives the bytes that they were.
    pub(super) fn packets(
        &mut self,
        input: &[u8],
        own: &mut Own,
        now: Millis,
        out: &mut Vec<u8>,
    ) -> usize {
        let mut consumed = 0;
        while !self.ended {
            let rest = &input[consumed..];
            let next = match header::parse(rest, PACKET_MAX) {
                Ok(Some(header)) => {
                    let Some(whole) = rest.get(..header.packet_length()) else {
                        break;
                    };
                    consumed += whole.len();
                    self.heard = now;
                    let body = &own.hold(whole)[header.length..];
                    match packet::decode(self.version, header, body) {
                        Ok(packet) => self.packet(&packet, now, out),
                        // Whatever is wrong with it: a DISCONNECT has no words for some of that.
                        Err(_) if header.kind == Kind::Connect && self.session.is_some() => {
                            refuse(Reason::PROTOCOL_ERROR, "a second CONNECT")
                        }
                        Err(refusal) => Next::Refuse(refusal),
                    }
                }
                Ok(None) => break,
                Err(refusal) => Next::Refuse(refusal),
            };
            match next {
                Next::GoOn => {}
                Next::End => self.ended = true,
                Next::Refuse(refusal) => self.refuse(refusal.reason, out),
            }
        }
        consumed
    }

    /// What it changed could not be written down: nothing that was said since is said, no welcome either.
    pub(super) fn nothing_is_kept(&mut self, was_welcome: bool, out: &mut Vec<u8>, before: usize) {
        out.truncate(before);
        let reason = if was_welcome {
            Reason::IMPLEMENTATION_SPECIFIC
        } else {
            Reason::SERVER_UNAVAILABLE
        };
        self.end(was_welcome, reason, out);
    }

    pub(super) fn taken_over(&mut self, out: &mut Vec<u8>) {
        self.refuse(Reason::SESSION_TAKEN_OVER, out);
    }

    #[inline]
    fn packet(&mut self, packet: &Packet<'_>, now: Millis, out: &mut Vec<u8>) -> Next {
        let Some(session) = self.session.clone() else {
            return match packet {
                Packet::Connect(connect) => self.connect(connect, now, out),
                _ => refuse(Reason::PROTOCOL_ERROR, "a packet before CONNECT"),
            };
        };
        match packet {
            Packet::Publish(publish)
                if publish
                    .properties
                    .number(PropertyId::SUBSCRIPTION)
                    .is_some() =>
            {
                refuse(
                    Reason::PROTOCOL_ERROR,
                    "a subscription identifier from a client",
                )
            }
            Packet::Publish(publish) => self.publish(&session, publish, now, out),
            Packet::Acknowledge(acknowledge) => self.acknowledge(&session, acknowledge, out),
            Packet::Subscribe(subscribe) => self.subscribe(&session, subscribe, now, out),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(&session, unsubscribe, out),
            Packet::PingReq => {
                encode::ping(out, Kind::PingResp);
                Next::GoOn
            }
            Packet::Disconnect(farewell) => self.disconnect(&session, farewell),
            Packet::Connect(_) => refuse(Reason::PROTOCOL_ERROR, "a second CONNECT"),
            Packet::Auth(_) => refuse(Reason::PROTOCOL_ERROR, "an AUTH that nobody asked for"),
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                refuse(Reason::PROTOCOL_ERROR, "a packet that only servers send")
            }
        }
    }

    fn connect(&mut self, connect: &Connect<'_>, now: Millis, out: &mut Vec<u8>) -> Next {
        plant::operations(1);
        self.version = connect.version;
        let number = |id| connect.properties.number(id);
        if connect
            .properties
            .text(PropertyId::AUTHENTICATION_METHOD)
            .is_some()
        {
            return refuse(Reason::BAD_AUTHENTICATION_METHOD, "no method is known here");
        }
        let nameless = connect.client.is_empty();
        if nameless && !connect.clean_start && connect.version == Version::V311 {
            return refuse(
                Reason::CLIENT_IDENTIFIER_NOT_VALID,
                "a session without a name",
            );
        }
        let Some(caller) = self.caller.clone() else {
            return refuse(Reason::SERVER_UNAVAILABLE, "this engine delivers nothing");
        };
        let expiry_s = match connect.version {
            Version::V5 => number(PropertyId::SESSION_EXPIRY).unwrap_or(0),
            // Without Clean Session it lives on, however long (3.1.1, 3.1.2.4).
            Version::V311 if connect.clean_start => 0,
            Version::V311 => u32::MAX,
        };
        let receive_maximum = number(PropertyId::RECEIVE_MAXIMUM).unwrap_or(u16::MAX.into());
        let packet_max = number(PropertyId::MAXIMUM_PACKET_SIZE).unwrap_or(u32::MAX);
        let aliases_max = number(PropertyId::TOPIC_ALIAS_MAXIMUM).unwrap_or(0);
        let attach = Attach {
            owner: self.number,
            caller,
            version: connect.version,
            receive_maximum: u16::try_from(receive_maximum).unwrap_or(u16::MAX),
            packet_max,
            aliases_max: u16::try_from(aliases_max).unwrap_or(u16::MAX),
            expiry_s,
        };
        let given = nameless.then(|| self.broker.unused_name(self.number));
        let client = given.as_deref().unwrap_or(connect.client);
        if !fits_welcome(packet_max, connect.version, given.as_deref()) {
            if packet_max < REFUSAL {
                return Next::End;
            }
            return refuse(
                Reason::PACKET_TOO_LARGE,
                "a CONNACK that the client does not take",
            );
        }
        let clean = connect.clean_start || nameless;
        let (session, present) = self.broker.attach(client, clean, attach, now);
        self.session = Some(session);
        self.silence_max = Millis::from(connect.keep_alive) * 1500;
        self.will = connect.will.map(|will| self.kept_will(&will, client, now));
        if let Some(will) = &self.will {
            self.broker.expect_will(will);
        }
        welcome(out, connect.version, present, given.as_deref());
        Next::GoOn
    }

    #[inline]
    fn publish(
        &mut self,
        session: &Arc<Session>,
        publish: &Publish<'_>,
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Next {
        plant::operations(1);
        let properties = encode::passed_on(&publish.properties);
        let aliased;
        let topic = match publish.properties.number(PropertyId::TOPIC_ALIAS) {
            None => publish.topic,
            Some(alias) => match self.aliases.topic(publish.topic, alias) {
                Some(topic) => {
                    aliased = topic;
                    &aliased
                }
                None => {
                    return refuse(
                        Reason::TOPIC_ALIAS_INVALID,
                        "an alias out of range or unset",
                    );
                }
            },
        };
        let (quality, number) = (publish.quality, publish.identifier);
        if quality == QualityOfService::ExactlyOnce && !session.state().receive_once(number) {
            encode::acknowledge(
                out,
                self.version,
                Kind::PubRec,
                number,
                Reason::SUCCESS,
                &[],
            );
            return Next::GoOn;
        }
        let mut routed = Routed::new(topic, publish.payload, &properties, quality, now);
        if publish.retain {
            self.broker.retain(&routed.kept(), now);
        }
        let wanted = self
            .broker
            .route(&mut routed, publish.retain, Some(session));
        let reason = if wanted {
            Reason::SUCCESS
        } else {
            Reason::NO_MATCHING_SUBSCRIBERS
        };
        let kind = match quality {
            QualityOfService::AtMostOnce => return Next::GoOn,
            QualityOfService::AtLeastOnce => Kind::PubAck,
            QualityOfService::ExactlyOnce => Kind::PubRec,
        };
        encode::acknowledge(out, self.version, kind, number, reason, &[]);
        Next::GoOn
    }

    fn acknowledge(
        &self,
        session: &Arc<Session>,
        acknowledge: &Acknowledge<'_>,
        out: &mut Vec<u8>,
    ) -> Next {
        let mut state = session.state();
        let number = acknowledge.identifier;
        let (kind, reason) = match acknowledge.kind {
            Kind::PubRec if acknowledge.reason.is_failure() => {
                state.done(number);
                return Next::GoOn;
            }
            Kind::PubRec => (Kind::PubRel, state.release(number)),
            Kind::PubRel => (Kind::PubComp, state.forget_received(number)),
            _ => {
                state.done(number);
                return Next::GoOn;
            }
        };
        encode::acknowledge(out, self.version, kind, number, reason, &[]);
        Next::GoOn
    }

    fn subscribe(
        &self,
        session: &Arc<Session>,
        subscribe: &Subscribe<'_>,
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Next {
        let identifier = subscribe.properties.number(PropertyId::SUBSCRIPTION);
        let code = |wanted| {
            let reason =
                self.broker
                    .subscribe(session, self.number, &wanted, identifier.unwrap_or(0), now);
            match self.version {
                // 3.1.1 has one code for every failure.
                Version::V311 => reason.0.min(0x80),
                Version::V5 => reason.0,
            }
        };
        let codes: Vec<_> = subscribe.filters().map(code).collect();
        let (begin, number) = (out.len(), subscribe.identifier);
        encode::granted(out, self.version, Kind::SubAck, number, &[], &codes);
        take_back_if_too_long(session, out, begin);
        Next::GoOn
    }

    fn unsubscribe(
        &self,
        session: &Arc<Session>,
        unsubscribe: &Unsubscribe<'_>,
        out: &mut Vec<u8>,
    ) -> Next {
        let code = |filter| self.broker.unsubscribe(session, filter).0;
        let codes: Vec<_> = unsubscribe.filters().map(code).collect();
        let (begin, number) = (out.len(), unsubscribe.identifier);
        encode::granted(out, self.version, Kind::UnsubAck, number, &[], &codes);
        take_back_if_too_long(session, out, begin);
        Next::GoOn
    }

    fn disconnect(&mut self, session: &Arc<Session>, farewell: &Farewell<'_>) -> Next {
        if let Some(expiry_s) = farewell.properties.number(PropertyId::SESSION_EXPIRY) {
            let mut state = session.state();
            if state.expiry_s == 0 && expiry_s > 0 {
                return refuse(
                    Reason::PROTOCOL_ERROR,
                    "a session that ends is not prolonged",
                );
            }
            // By now it may be another connection's.
            if state.owner == self.number {
                state.prolong(expiry_s, &session.client);
            }
        }
        if farewell.reason == Reason::SUCCESS && self.will.take().is_some() {
            self.broker.will_is_over(self.number);
        }
        Next::End
    }

    fn kept_will(&self, will: &packet::Will<'_>, client: &str, now: Millis) -> Arc<Will> {
        let delay_s = will.properties.number(PropertyId::WILL_DELAY).unwrap_or(0);
        let mut properties = encode::passed_on(&will.properties);
        properties.retain(|(id, _)| *id != PropertyId::WILL_DELAY);
        Arc::new(Will {
            connection: self.number,
            client: client.into(),
            message: Message::new(will.topic, will.payload, &properties, will.quality, now),
            retain: will.retain,
            delay_s,
        })
    }
}

fn refuse(reason: Reason, because: &'static str) -> Next {
    Next::Refuse(Refusal { reason, because })
}

/// Whether the client takes the CONNACK of [`welcome`].
fn fits_welcome(packet_max: u32, version: Version, given: Option<&str>) -> bool {
    // Hardly anybody takes less than this, which is longer than any CONNACK here.
    packet_max > 100 || {
        let mut answer = Vec::new();
        welcome(&mut answer, version, false, given);
        answer.len() <= packet_max as usize
    }
}

/// Takes an answer back that begins at `begin` and is longer than the client takes (MQTT 5.0, 3.1.2.11.4).
fn take_back_if_too_long(session: &Session, out: &mut Vec<u8>, begin: usize) {
    if out.len() - begin > session.state().packet_max as usize {
        out.truncate(begin);
    }
}

/// CONNACK, with the limits of this broker and the name that it gave a client without one.
fn welcome(out: &mut Vec<u8>, version: Version, present: bool, given: Option<&str>) {
    let mut properties = vec![
        (
            PropertyId::MAXIMUM_PACKET_SIZE,
            Value::Number(PACKET_MAX as u32),
        ),
        (
            PropertyId::TOPIC_ALIAS_MAXIMUM,
            Value::Number(ALIASES_MAX as u32),
        ),
    ];
    properties.extend(given.map(|name| (PropertyId::ASSIGNED_CLIENT, Value::Text(name))));
    let properties: List<'_> = &properties;
    encode::conn_ack(out, version, present, 0, properties);
}
