//! Clients that connect, are welcomed and leave: what a new client costs a broker. In a closed loop a
//! storm of as many at a time as there are connections, in an open loop so many a second.

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, ParamError, Parameter, ParameterKind, Params,
    ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::packet::Packet;

use super::client::{Client, accepted, ended, unexpected};
use super::parameters::{VERSION, client};
use crate::load::{plan, verify_answers};

/// `mqtt/connect`.
pub(crate) struct Connect;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/connect",
    question: "What does a client cost that connects, is welcomed and leaves?",
    operations: "connects",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "64",
            smoke: Some("8"),
            about: "Clients that connect at a time; a listen backlog of 100 loses those beyond it.",
        },
        VERSION,
    ],
};

impl Scenario for Connect {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        plan(params, params.count("connections"))
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        Box::new(Dialler {
            client: client(params, format!("ringside-{connection}")),
            operation: None,
        })
    }

    fn verify(&self, _params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_answers(measures)
    }
}

/// A client that leaves as soon as it is welcome.
struct Dialler {
    client: Client,
    /// The connect under way.
    operation: Option<Operation>,
}

impl Session for Dialler {
    fn open(&mut self, _out: &mut Vec<u8>) {
        self.operation = None;
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        self.operation = operations.first().copied();
        self.client.connect(out);
    }

    fn receive(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self { client, operation } = self;
        let consumed = client.packets(input, |packet| match (packet, operation.take()) {
            (Packet::ConnAck(answer), Some(operation)) => {
                done.push(ended(operation));
                accepted(answer)
            }
            (packet, _) => unexpected("one CONNACK", packet),
        })?;
        let reconnect = !done.is_empty();
        if reconnect {
            client.leave(out);
        }
        Ok(Received {
            consumed,
            reconnect,
            ..Received::default()
        })
    }
}
