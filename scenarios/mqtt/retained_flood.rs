//! Clients that subscribe to everything that a broker keeps: what a retained message costs when it is
//! given to a new subscriber.

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, Outcome, ParamError, Parameter, ParameterKind,
    Params, ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::{Packet, Publish};
use ringside_wire::mqtt::{QualityOfService, encode};

use super::client::{accepted, unexpected, wanted};
use super::message::{Payloads, payload_size};
use super::parameters::{SIZE, Setting, VERSION};
use crate::load::{plan, verify_load};

/// What all topics begin with.
const TOP: &str = "flood";

/// Messages that the keeper has under way while it sets up.
const AT_A_TIME: u32 = 20;

/// `mqtt/retained_flood`.
pub(crate) struct RetainedFlood;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/retained_flood",
    question: "What does a retained message cost when a client subscribes to many at once?",
    operations: "retained messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "topics",
            kind: ParameterKind::Count,
            default: "1000",
            smoke: Some("50"),
            about: "Topics with a retained message; more than 1,000 at once is more than brokers queue.",
        },
        Parameter {
            name: "subscribers",
            kind: ParameterKind::Count,
            default: "8",
            smoke: Some("2"),
            about: "Clients that subscribe to all of them, again and again.",
        },
        SIZE,
        VERSION,
    ],
};

impl Scenario for RetainedFlood {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let subscribers = params.count("subscribers");
        Ok(LoadPlan {
            active: subscribers,
            deliveries: params.count("topics"),
            ..plan(params, subscribers.saturating_add(1))?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let setting = Setting::of_quality(params, seed, connection, QualityOfService::AtMostOnce);
        let topics = params.count("topics");
        // Subscribers come first: they are those that carry operations.
        if connection < params.count("subscribers") {
            Box::new(Flooded {
                setting,
                flood: Flood::of(topics),
                is_ready: false,
            })
        } else {
            Box::new(Keeper {
                setting,
                number: connection,
                topics,
                sent: 0,
                acknowledged: 0,
            })
        }
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("subscribers").saturating_add(1))
    }
}

/// Publishes what is kept, and is ready when the broker has all of it.
struct Keeper {
    setting: Setting,
    number: u32,
    topics: u32,
    sent: u32,
    acknowledged: u32,
}

impl Keeper {
    fn publish(&mut self, out: &mut Vec<u8>) {
        let until = self.topics.min(self.acknowledged + AT_A_TIME);
        let mut payload = Vec::new();
        for number in self.sent..until {
            // The number of the topic, in place of that of an operation.
            let label = Operation {
                sequence: number.into(),
                intended: 0,
            };
            self.setting
                .payloads
                .write(self.number, &label, &mut payload);
            let publish = encode::Publish {
                duplicate: false,
                quality: QualityOfService::AtLeastOnce,
                retain: true,
                topic: &format!("{TOP}/{number}"),
                identifier: (number % u32::from(u16::MAX) + 1) as u16,
                properties: &[],
                payload: &payload,
            };
            encode::publish(out, self.setting.client.version(), &publish);
        }
        self.sent = until;
    }
}

impl Session for Keeper {
    fn open(&mut self, out: &mut Vec<u8>) {
        (self.sent, self.acknowledged) = (0, 0);
        self.setting.client.connect(out);
    }

    fn is_ready(&self) -> bool {
        self.acknowledged == self.topics
    }

    fn send(&mut self, _operations: &[Operation], _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        _done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self {
            setting,
            sent,
            acknowledged,
            ..
        } = self;
        let consumed = setting.client.packets(input, |packet| match packet {
            Packet::ConnAck(answer) => accepted(answer),
            Packet::Acknowledge(acknowledge)
                if acknowledge.kind == Kind::PubAck
                    && !acknowledge.reason.is_failure()
                    && *acknowledged < *sent =>
            {
                *acknowledged += 1;
                Ok(())
            }
            packet => unexpected("a PUBACK", packet),
        })?;
        self.publish(out);
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}

/// Subscribes for each operation, which ends with the last of the kept messages.
struct Flooded {
    setting: Setting,
    flood: Flood,
    is_ready: bool,
}

/// What came of the messages that an operation waits for.
#[derive(Debug)]
struct Flood {
    operation: Operation,
    /// Whether the message of a topic came.
    seen: Vec<bool>,
    left: usize,
}

impl Flood {
    fn of(topics: u32) -> Self {
        Self {
            operation: Operation {
                sequence: 0,
                intended: 0,
            },
            seen: vec![false; topics as usize],
            left: 0,
        }
    }

    fn begin(&mut self, operation: Operation) {
        self.operation = operation;
        self.seen.fill(false);
        self.left = self.seen.len();
    }

    /// A message came: right when it is the one that is kept for its topic, and did not come before.
    fn take(&mut self, publish: &Publish<'_>, payloads: &Payloads) -> Completion {
        let label = payloads.read(publish.payload);
        let topic = publish
            .topic
            .strip_prefix(TOP)
            .and_then(|rest| rest.strip_prefix('/')?.parse::<u64>().ok());
        let right = label.zip(topic).is_some_and(|(label, topic)| {
            label.intact && publish.retain && label.operation.sequence == topic
        });
        let seen = topic.and_then(|topic| self.seen.get_mut(usize::try_from(topic).ok()?));
        let first = seen.is_some_and(|seen| !std::mem::replace(seen, true));
        self.left -= 1;
        Completion {
            sequence: self.operation.sequence,
            intended: self.operation.intended,
            origin: None,
            outcome: if right && first {
                Outcome::Ok
            } else {
                Outcome::Corrupt
            },
        }
    }
}

impl Session for Flooded {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.is_ready = false;
        self.flood.left = 0;
        self.setting.client.connect(out);
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        let Some(operation) = operations.first() else {
            return;
        };
        self.flood.begin(*operation);
        let filter = format!("{TOP}/#");
        let wanted = wanted(&filter, QualityOfService::AtMostOnce);
        let identifier = (operation.sequence % u64::from(u16::MAX) + 1) as u16;
        let version = self.setting.client.version();
        encode::subscribe(out, version, identifier, &[], &[wanted]);
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self {
            setting,
            flood,
            is_ready,
        } = self;
        let Setting {
            client, payloads, ..
        } = setting;
        let consumed = client.packets(input, |packet| match packet {
            Packet::ConnAck(answer) if !*is_ready => {
                *is_ready = true;
                accepted(answer)
            }
            Packet::SubAck(answer) if *answer.codes == [0] => Ok(()),
            Packet::Publish(publish) if flood.left > 0 => {
                done.push(flood.take(publish, payloads));
                Ok(())
            }
            packet => unexpected("each retained message once", packet),
        })?;
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}
