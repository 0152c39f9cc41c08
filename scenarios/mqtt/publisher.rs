//! A client that publishes to one topic. Its operations end with their subscriber; here only what the
//! quality of service asks for is acknowledged.

use std::collections::VecDeque;

use ringside_contract::{Completion, Operation, ProtocolError, Received, Session};
use ringside_wire::mqtt::QualityOfService;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::{Acknowledge, Packet};
use ringside_wire::mqtt::reason::Reason;

use super::client::{Client, accepted, unexpected};
use super::message::Payloads;
use super::parameters::Setting;

/// The session of a publisher.
pub(crate) struct Publisher {
    client: Client,
    number: u32,
    topic: String,
    quality: QualityOfService,
    payloads: Payloads,
    is_ready: bool,
    /// Packet identifiers without an acknowledgement, the oldest first. Brokers acknowledge in order
    /// (MQTT 5.0, 4.6).
    unacknowledged: VecDeque<u16>,
    /// Of these the PUBREC came: PUBCOMP is to come.
    released: VecDeque<u16>,
    next_identifier: u16,
    payload: Vec<u8>,
}

impl Publisher {
    /// Connection `number`, which publishes to `topic`.
    pub(crate) fn new(setting: Setting, number: u32, topic: String) -> Self {
        Self {
            client: setting.client,
            number,
            topic,
            quality: setting.quality,
            payloads: setting.payloads,
            is_ready: false,
            unacknowledged: VecDeque::new(),
            released: VecDeque::new(),
            next_identifier: 1,
            payload: Vec::new(),
        }
    }

    fn take_identifier(&mut self) -> u16 {
        let identifier = self.next_identifier;
        self.next_identifier = identifier.checked_add(1).unwrap_or(1);
        self.unacknowledged.push_back(identifier);
        identifier
    }
}

impl Session for Publisher {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.is_ready = false;
        self.unacknowledged.clear();
        self.released.clear();
        self.client.connect(out);
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            let identifier = match self.quality {
                QualityOfService::AtMostOnce => 0,
                _ => self.take_identifier(),
            };
            self.payloads
                .write(self.number, operation, &mut self.payload);
            let publish = encode::Publish {
                duplicate: false,
                quality: self.quality,
                retain: false,
                topic: &self.topic,
                identifier,
                properties: &[],
                payload: &self.payload,
            };
            encode::publish(out, self.client.version(), &publish);
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        _done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self {
            client,
            is_ready,
            unacknowledged,
            released,
            quality,
            ..
        } = self;
        let version = client.version();
        let consumed = client.packets(input, |packet| match packet {
            Packet::ConnAck(answer) if !*is_ready => {
                *is_ready = true;
                accepted(answer)
            }
            Packet::Acknowledge(acknowledge) => {
                let refused = acknowledge.reason.is_failure();
                let expected = match (acknowledge.kind, *quality) {
                    (Kind::PubAck, QualityOfService::AtLeastOnce) => unacknowledged.pop_front(),
                    (Kind::PubRec, QualityOfService::ExactlyOnce) => {
                        released.extend(unacknowledged.front());
                        unacknowledged.pop_front()
                    }
                    (Kind::PubComp, QualityOfService::ExactlyOnce) => released.pop_front(),
                    _ => None,
                };
                if refused || expected != Some(acknowledge.identifier) {
                    return wrong(acknowledge, expected);
                }
                if acknowledge.kind == Kind::PubRec {
                    let number = acknowledge.identifier;
                    encode::acknowledge(out, version, Kind::PubRel, number, Reason::SUCCESS, &[]);
                }
                Ok(())
            }
            packet => unexpected("an acknowledgement", packet),
        })?;
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}

fn wrong(acknowledge: &Acknowledge<'_>, expected: Option<u16>) -> Result<(), String> {
    let Acknowledge {
        kind,
        identifier,
        reason,
        ..
    } = acknowledge;
    Err(match expected {
        Some(expected) => format!(
            "expected an acknowledgement of packet {expected}; {kind:?} of {identifier} came: {}",
            reason.name()
        ),
        None => format!("{kind:?} of packet {identifier}, which waits for none"),
    })
}
