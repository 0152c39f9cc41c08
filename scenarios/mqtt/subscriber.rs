//! A client that takes the messages of a filter and holds each against what its payload says.

use std::collections::HashMap;

use ringside_contract::{Completion, Operation, Outcome, ProtocolError, Received, Session};
use ringside_wire::mqtt::QualityOfService;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::{Packet, Publish};
use ringside_wire::mqtt::reason::Reason;

use super::client::{Client, accepted, unexpected, wanted};
use super::message::{Label, Payloads};
use super::parameters::Setting;

/// The session of a subscriber.
pub(crate) struct Subscriber {
    client: Client,
    filter: String,
    quality: QualityOfService,
    payloads: Payloads,
    stage: Stage,
    /// The next number of each sender.
    expected: HashMap<u32, u64>,
}

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Subscribing,
    Ready,
}

impl Subscriber {
    /// Takes what is published to `filter`.
    pub(crate) fn new(setting: Setting, filter: String) -> Self {
        Self {
            client: setting.client,
            filter,
            quality: setting.quality,
            payloads: setting.payloads,
            stage: Stage::Connecting,
            expected: HashMap::new(),
        }
    }
}

impl Session for Subscriber {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.stage = Stage::Connecting;
        self.expected.clear();
        self.client.connect(out);
    }

    fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    fn send(&mut self, _operations: &[Operation], _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self {
            client,
            filter,
            quality,
            payloads,
            stage,
            expected,
        } = self;
        let version = client.version();
        let consumed = client.packets(input, |packet| match (packet, *stage) {
            (Packet::Publish(publish), Stage::Ready) => {
                let label = payloads.read(publish.payload);
                let Some(label) = label.filter(|_| publish.quality == *quality) else {
                    return unexpected("a message of ours at the quality asked for", packet);
                };
                acknowledge(publish, version, out);
                done.push(completion(label, expected));
                Ok(())
            }
            (Packet::Acknowledge(acknowledge), Stage::Ready)
                if acknowledge.kind == Kind::PubRel =>
            {
                let number = acknowledge.identifier;
                encode::acknowledge(out, version, Kind::PubComp, number, Reason::SUCCESS, &[]);
                Ok(())
            }
            (Packet::ConnAck(answer), Stage::Connecting) => {
                *stage = Stage::Subscribing;
                let wanted = wanted(filter, *quality);
                encode::subscribe(out, version, 1, &[], &[wanted]);
                accepted(answer)
            }
            (Packet::SubAck(answer), Stage::Subscribing) if *answer.codes == [*quality as u8] => {
                *stage = Stage::Ready;
                Ok(())
            }
            (packet, _) => unexpected("a message", packet),
        })?;
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}

fn acknowledge(publish: &Publish<'_>, version: ringside_wire::mqtt::Version, out: &mut Vec<u8>) {
    let kind = match publish.quality {
        QualityOfService::AtMostOnce => return,
        QualityOfService::AtLeastOnce => Kind::PubAck,
        QualityOfService::ExactlyOnce => Kind::PubRec,
    };
    encode::acknowledge(out, version, kind, publish.identifier, Reason::SUCCESS, &[]);
}

/// A message ends the operation that it names; one that is damaged, repeated or out of order is wrong.
/// After lost ones, which QoS 0 allows, the next is right: the lost operations run out of time.
fn completion(label: Label, expected: &mut HashMap<u32, u64>) -> Completion {
    let Label {
        sender,
        operation: Operation { sequence, intended },
        intact,
    } = label;
    let next = expected.entry(sender).or_insert(sequence);
    let in_order = sequence >= *next;
    if in_order {
        *next = sequence + 1;
    }
    let outcome = if intact && in_order {
        Outcome::Ok
    } else {
        Outcome::Corrupt
    };
    Completion {
        sequence,
        intended,
        origin: Some(sender),
        outcome,
    }
}
