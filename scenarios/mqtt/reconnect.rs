//! Clients with persistent sessions that come back to a backlog: each connection plays two clients in
//! turn. One comes back, takes what waits for it, and leaves the same number of messages for the other,
//! which is away. So the backlog is as long as it is asked for, each time.

use std::collections::VecDeque;

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, Outcome, ParamError, Parameter, ParameterKind,
    Params, ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::{ConnAck, Packet, Publish};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version, encode};

use super::client::{Client, accepted, unexpected, wanted};
use super::message::{Payloads, payload_size};
use super::parameters::{SIZE, VERSION, client};
use crate::load::{plan, verify_answers};

/// `mqtt/reconnect`.
pub(crate) struct Reconnect;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/reconnect",
    question: "What does a client cost that comes back to messages that waited for it?",
    operations: "returns",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "32",
            smoke: Some("4"),
            about: "Connections, each with two clients that come back in turn.",
        },
        Parameter {
            name: "backlog",
            kind: ParameterKind::Count,
            default: "10",
            smoke: None,
            about: "Messages at QoS 1 that wait for a client.",
        },
        SIZE,
        VERSION,
    ],
};

impl Scenario for Reconnect {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let backlog = params.count("backlog");
        // Brokers queue a thousand, and let twenty be under way.
        if backlog > 1000 {
            let because = format!("backlog={backlog}: brokers keep 1000 for a client");
            return Err(ParamError::Conflict { because });
        }
        plan(params, params.count("connections"))
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let role = |which| Role {
            client: client(params, format!("ringside-{connection}-{which}")),
            topic: format!("reconnect/{connection}/{which}"),
            taken: 0,
            left: 0,
        };
        let size = payload_size(params).expect("`load` has refused other sizes");
        Box::new(Returner {
            roles: [role('a'), role('b')],
            backlog: params.count("backlog").into(),
            payloads: Payloads::new(seed, size),
            number: connection,
            visit: 0,
            stage: Stage::Away,
        })
    }

    fn verify(&self, _params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_answers(measures)
    }
}

/// One of the two clients of a connection.
struct Role {
    client: Client,
    topic: String,
    /// Messages that it took so far.
    taken: u64,
    /// Messages that were left for it so far.
    left: u64,
}

/// One connection's two clients.
struct Returner {
    roles: [Role; 2],
    backlog: u64,
    payloads: Payloads,
    number: u32,
    /// Operations so far: the clients take turns.
    visit: u64,
    stage: Stage,
}

enum Stage {
    Away,
    Here(Visit),
}

/// One client's stay.
struct Visit {
    operation: Operation,
    welcome: bool,
    subscribed: bool,
    right: bool,
    /// Packet identifiers of what was left for the other, without a PUBACK.
    unacknowledged: VecDeque<u16>,
}

impl Session for Returner {
    fn open(&mut self, _out: &mut Vec<u8>) {
        self.stage = Stage::Away;
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        let Some(operation) = operations.first() else {
            return;
        };
        self.visit += 1;
        self.stage = Stage::Here(Visit {
            operation: *operation,
            welcome: false,
            subscribed: false,
            right: true,
            unacknowledged: VecDeque::new(),
        });
        self.here().client.connect_with(None, false, out);
    }

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let turn = (self.visit % 2) as usize;
        let Stage::Here(visit) = &mut self.stage else {
            let because = "the broker spoke to a client that is away".to_owned();
            return Err(ProtocolError { offset: 0, because });
        };
        let Role {
            client,
            topic,
            taken,
            ..
        } = &mut self.roles[turn];
        let version = client.version();
        let payloads = &self.payloads;
        let consumed = client.packets(input, |packet| match packet {
            Packet::ConnAck(answer) if !visit.welcome => {
                visit.welcomed(answer, topic, version, out)
            }
            Packet::SubAck(answer) if !visit.subscribed && *answer.codes == [1] => {
                visit.subscribed = true;
                Ok(())
            }
            Packet::Publish(publish) => {
                visit.right &= is_next(publish, payloads, taken);
                let (kind, number) = (Kind::PubAck, publish.identifier);
                encode::acknowledge(out, version, kind, number, Reason::SUCCESS, &[]);
                Ok(())
            }
            Packet::Acknowledge(acknowledge)
                if acknowledge.kind == Kind::PubAck
                    && visit.unacknowledged.front() == Some(&acknowledge.identifier) =>
            {
                visit.unacknowledged.pop_front();
                Ok(())
            }
            packet => unexpected("a message that waited, or a PUBACK in order", packet),
        })?;
        let reconnect = self.go_on(turn, out, done);
        Ok(Received {
            consumed,
            reconnect,
            ..Received::default()
        })
    }
}

impl Returner {
    fn here(&mut self) -> &mut Role {
        &mut self.roles[(self.visit % 2) as usize]
    }

    /// Does what is next: leaves messages once the client has taken its own, and leaves once they are
    /// acknowledged. True when it left.
    fn go_on(&mut self, turn: usize, out: &mut Vec<u8>, done: &mut Vec<Completion>) -> bool {
        let Stage::Here(visit) = &mut self.stage else {
            return false;
        };
        let [a, b] = &mut self.roles;
        let (here, other) = if turn == 0 { (a, b) } else { (b, a) };
        if !visit.subscribed || here.taken < here.left || !visit.unacknowledged.is_empty() {
            return false;
        }
        // The first client to come has nobody yet to leave something for.
        let leaves = self.visit > 1 && other.left - other.taken < self.backlog;
        if leaves {
            let target = (&mut *other, self.number);
            visit.leave(target, self.backlog, &self.payloads, out);
            return false;
        }
        done.push(Completion {
            sequence: visit.operation.sequence,
            intended: visit.operation.intended,
            origin: None,
            outcome: if visit.right {
                Outcome::Ok
            } else {
                Outcome::Corrupt
            },
        });
        here.client.leave(out);
        self.stage = Stage::Away;
        true
    }
}

impl Visit {
    /// The session was kept, or it is the first visit.
    fn welcomed(
        &mut self,
        answer: &ConnAck<'_>,
        topic: &str,
        version: Version,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        self.welcome = true;
        self.subscribed = answer.session_present;
        if !answer.session_present {
            let wanted = wanted(topic, QualityOfService::AtLeastOnce);
            encode::subscribe(out, version, 1, &[], &[wanted]);
        }
        accepted(answer)
    }

    /// Publishes a backlog for the client that is away; `target` has its topic, and the number of the
    /// sender.
    fn leave(
        &mut self,
        target: (&mut Role, u32),
        backlog: u64,
        payloads: &Payloads,
        out: &mut Vec<u8>,
    ) {
        let (role, sender) = target;
        let mut payload = Vec::new();
        for place in 0..backlog {
            let label = Operation {
                sequence: role.left,
                intended: self.operation.intended,
            };
            payloads.write(sender, &label, &mut payload);
            let identifier = (place + 2) as u16;
            let publish = encode::Publish {
                duplicate: false,
                quality: QualityOfService::AtLeastOnce,
                retain: false,
                topic: &role.topic,
                identifier,
                properties: &[],
                payload: &payload,
            };
            encode::publish(out, role.client.version(), &publish);
            self.unacknowledged.push_back(identifier);
            role.left += 1;
        }
    }
}

/// Whether it is the next message for this client, or one that came before and says so. None may be
/// lost.
fn is_next(publish: &Publish<'_>, payloads: &Payloads, taken: &mut u64) -> bool {
    let Some(label) = payloads.read(publish.payload).filter(|label| label.intact) else {
        return false;
    };
    if label.operation.sequence == *taken {
        *taken += 1;
        return publish.quality == QualityOfService::AtLeastOnce;
    }
    publish.duplicate && label.operation.sequence < *taken
}
