//! Clients that change their subscriptions all the time, among many that stay: what the registry's writes
//! cost. An operation takes the oldest subscription of a client away and makes a new one.

use std::collections::VecDeque;

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, ParamError, Parameter, ParameterKind, Params,
    ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::packet::Packet;
use ringside_wire::mqtt::{QualityOfService, encode};

use super::client::{Client, accepted, ended, unexpected, wanted};
use super::parameters::{VERSION, client, window};
use crate::load::{plan, verify_load};

/// Filters in one SUBSCRIBE while the client sets itself up.
const BATCH: u64 = 200;

/// `mqtt/churn`.
pub(crate) struct Churn;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/churn",
    question: "What does a change of subscriptions cost, among many others?",
    operations: "changes",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "50",
            smoke: Some("4"),
            about: "Clients that change their subscriptions.",
        },
        Parameter {
            name: "filters",
            kind: ParameterKind::Count,
            default: "100000",
            smoke: Some("400"),
            about: "Subscriptions that are there all the time, over all clients.",
        },
        VERSION,
        window("4"),
    ],
};

impl Scenario for Churn {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let (filters, connections) = (params.count("filters"), params.count("connections"));
        if filters < connections.saturating_mul(params.count("window")) {
            let because = format!(
                "filters={filters}: each of {connections} clients needs as many as its window"
            );
            return Err(ParamError::Conflict { because });
        }
        plan(params, connections)
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        Box::new(Changer {
            client: client(params, format!("ringside-{connection}")),
            number: connection,
            kept: u64::from(params.count("filters") / params.count("connections")),
            next: 0,
            is_ready: false,
            next_identifier: 1,
            changes: VecDeque::new(),
        })
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))
    }
}

/// A client with subscriptions that come and go.
struct Changer {
    client: Client,
    number: u32,
    /// Subscriptions that it has at a time.
    kept: u64,
    /// Number of the next one.
    next: u64,
    is_ready: bool,
    next_identifier: u16,
    /// Changes under way with their packet identifier, and whether the SUBACK came, the oldest first.
    changes: VecDeque<(Operation, u16, bool)>,
}

impl Changer {
    /// A filter that many others resemble: one level of wildcards, below the client's own level.
    fn filter(&self, number: u64) -> String {
        format!("churn/{}/{number}/+", self.number)
    }

    fn take_identifier(&mut self) -> u16 {
        let identifier = self.next_identifier;
        self.next_identifier = identifier.checked_add(1).unwrap_or(1);
        identifier
    }

    /// Subscribes to the next `count` filters.
    fn subscribe(&mut self, count: u64, identifier: u16, out: &mut Vec<u8>) {
        let filters: Vec<_> = (self.next..self.next + count)
            .map(|number| self.filter(number))
            .collect();
        self.next += count;
        let wanted: Vec<_> = filters
            .iter()
            .map(|filter| wanted(filter, QualityOfService::AtMostOnce))
            .collect();
        encode::subscribe(out, self.client.version(), identifier, &[], &wanted);
    }

    /// Goes on with the set-up, or is ready.
    fn set_up(&mut self, out: &mut Vec<u8>) {
        let count = BATCH.min(self.kept.saturating_sub(self.next));
        if count == 0 {
            self.is_ready = true;
        } else {
            let identifier = self.take_identifier();
            self.subscribe(count, identifier, out);
        }
    }
}

impl Session for Changer {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.is_ready = false;
        self.next = 0;
        self.changes.clear();
        self.client.connect(out);
    }

    fn is_ready(&self) -> bool {
        self.is_ready
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            let identifier = self.take_identifier();
            let oldest = self.filter(self.next.saturating_sub(self.kept));
            self.subscribe(1, identifier, out);
            let version = self.client.version();
            encode::unsubscribe(out, version, identifier, &[], &[&oldest]);
            self.changes.push_back((*operation, identifier, false));
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self {
            client,
            is_ready,
            changes,
            ..
        } = self;
        let mut goes_on = false;
        let consumed = client.packets(input, |packet| match packet {
            Packet::ConnAck(answer) if !*is_ready => {
                goes_on = true;
                accepted(answer)
            }
            Packet::SubAck(answer) if answer.codes.iter().all(|code| *code == 0) => {
                let change = changes.iter_mut().find(|change| !change.2);
                match change {
                    Some(change) if change.1 == answer.identifier => change.2 = true,
                    None if !*is_ready => goes_on = true,
                    _ => return unexpected("acknowledgements in order", packet),
                }
                Ok(())
            }
            Packet::UnsubAck(answer) => match changes.pop_front() {
                // 3.1.1 has no codes there.
                Some((operation, identifier, true))
                    if answer.identifier == identifier
                        && answer.codes.iter().all(|code| *code == 0) =>
                {
                    done.push(ended(operation));
                    Ok(())
                }
                _ => unexpected("the UNSUBACK of the oldest change", packet),
            },
            packet => unexpected("an acknowledgement", packet),
        })?;
        if goes_on {
            self.set_up(out);
        }
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}
