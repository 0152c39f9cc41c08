//! What a broker's system calls cost without a broker: the handshakes are answered, and from its first
//! message on a publisher's bytes go unread to those who subscribed to that topic. One publisher for a
//! topic, and filters without wildcards, are all that it knows.
//!
//! Where a topic has one subscriber, its bytes go back unread too, so that the acknowledgements of QoS 1
//! and 2 pass from end to end.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringside_engine::{Caller, Delivery, Millis, Progress, Protocol, Step, Tick};
use ringside_wire::mqtt::header::{self, Kind};
use ringside_wire::mqtt::packet::{self, Packet};
use ringside_wire::mqtt::{Version, encode};

use crate::core::PACKET_MAX;

/// Bytes that may wait for a client that does not read.
const PENDING_MAX: usize = 64 << 20;

/// A server that relays.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    topics: Arc<Mutex<HashMap<Box<str>, Topic>>>,
}

/// Who is at the two ends of a topic.
#[derive(Debug, Default)]
struct Topic {
    publisher: Option<Arc<End>>,
    subscribers: Vec<Arc<End>>,
}

/// One connection as others see it.
#[derive(Debug)]
struct End {
    caller: Caller,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    called: bool,
    gone: bool,
}

/// What is remembered of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    topics: Arc<Mutex<HashMap<Box<str>, Topic>>>,
    version: Version,
    end: Option<Arc<End>>,
    topic: Option<Box<str>>,
    /// Where its bytes go from here on.
    peers: Vec<Arc<End>>,
}

impl End {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, bytes: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.gone || waiting.bytes.len() > PENDING_MAX {
            waiting.gone = true;
            return;
        }
        waiting.bytes.extend_from_slice(bytes);
        if !mem::replace(&mut waiting.called, true) {
            self.caller.call();
        }
    }
}

impl Connection {
    fn topics(&self) -> MutexGuard<'_, HashMap<Box<str>, Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what comes before the first message. False when nothing more can be read.
    fn greet(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> bool {
        match packet {
            Packet::Connect(connect) => {
                self.version = connect.version;
                encode::conn_ack(out, self.version, false, 0, &[]);
            }
            Packet::Subscribe(subscribe) => {
                let mut codes = Vec::new();
                for wanted in subscribe.filters() {
                    self.listen(wanted.filter);
                    codes.push(wanted.quality as u8);
                }
                let number = subscribe.identifier;
                encode::granted(out, self.version, Kind::SubAck, number, &[], &codes);
            }
            Packet::PingReq => encode::ping(out, Kind::PingResp),
            _ => return false,
        }
        true
    }

    fn listen(&mut self, filter: &str) {
        self.topic = Some(filter.into());
        let end = self.end.clone();
        let mut topics = self.topics();
        let topic = topics.entry(filter.into()).or_default();
        topic.subscribers.extend(end);
    }

    /// The first message names the topic: from here on bytes are passed.
    fn speak(&mut self, name: &str) {
        self.topic = Some(name.into());
        let end = self.end.clone();
        let mut topics = self.topics();
        let topic = topics.entry(name.into()).or_default();
        topic.publisher = end;
        let peers = topic.subscribers.clone();
        drop(topics);
        self.peers = peers;
    }

    /// The publisher of a subscriber's topic, when they are a pair.
    fn answer_to(&mut self) {
        let Some(name) = self.topic.clone() else {
            return;
        };
        let topics = self.topics();
        let pair = topics
            .get(&name)
            .filter(|topic| topic.subscribers.len() == 1);
        let peers = pair.and_then(|topic| topic.publisher.clone());
        drop(topics);
        self.peers.extend(peers);
    }
}

impl Protocol for Relay {
    type Connection = Connection;

    const CALLS: bool = true;

    fn open(&self, _now: Millis) -> Connection {
        Connection {
            topics: Arc::clone(&self.topics),
            version: Version::V311,
            end: None,
            topic: None,
            peers: Vec::new(),
        }
    }

    fn introduce(&self, connection: &mut Connection, caller: Caller) {
        connection.end = Some(Arc::new(End {
            caller,
            waiting: Mutex::default(),
        }));
    }

    fn deliver(&self, connection: &mut Connection, _now: Millis, out: &mut Vec<u8>) -> Delivery {
        let Some(end) = &connection.end else {
            return Delivery::Done;
        };
        let mut waiting = end.waiting();
        waiting.called = false;
        out.append(&mut waiting.bytes);
        if waiting.gone {
            Delivery::Close
        } else {
            Delivery::Done
        }
    }

    fn receive(
        &self,
        connection: &mut Connection,
        input: &[u8],
        _now: Millis,
        out: &mut Vec<u8>,
    ) -> Progress {
        let progress = |consumed, step| Progress { consumed, step };
        let mut consumed = 0;
        while connection.peers.is_empty() {
            let rest = &input[consumed..];
            let header = match header::parse(rest, PACKET_MAX) {
                Ok(Some(header)) if rest.len() >= header.packet_length() => header,
                Ok(_) => return progress(consumed, Step::Read),
                Err(_) => return progress(input.len(), Step::Close),
            };
            let length = header.packet_length();
            match packet::decode(connection.version, header, &rest[header.length..length]) {
                Ok(Packet::Publish(publish)) => {
                    connection.speak(publish.topic);
                    if connection.peers.is_empty() {
                        consumed += length;
                    }
                }
                Ok(Packet::Acknowledge(_)) => {
                    connection.answer_to();
                    if connection.peers.is_empty() {
                        consumed += length;
                    }
                }
                Ok(packet) if connection.greet(&packet, out) => consumed += length,
                _ => return progress(input.len(), Step::Close),
            }
        }
        for peer in &connection.peers {
            peer.pass(&input[consumed..]);
        }
        progress(input.len(), Step::Read)
    }

    fn tick(&self, _connection: &mut Connection, _now: Millis, _out: &mut Vec<u8>) -> Tick {
        Tick::Keep
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Some(end), Some(name)) = (self.end.take(), self.topic.take()) else {
            return;
        };
        end.waiting().gone = true;
        let mut topics = self.topics();
        let Some(topic) = topics.get_mut(&name) else {
            return;
        };
        topic.subscribers.retain(|known| !Arc::ptr_eq(known, &end));
        topic.publisher.take_if(|known| Arc::ptr_eq(known, &end));
        if topic.subscribers.is_empty() && topic.publisher.is_none() {
            topics.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests;
