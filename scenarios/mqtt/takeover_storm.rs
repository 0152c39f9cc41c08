//! Two connections for each client that take its session from each other, without a pause: the broker
//! has to end one connection for each that it accepts (MQTT 5.0, 3.1.4).

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, ParamError, Parameter, ParameterKind, Params,
    ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::packet::Packet;
use ringside_wire::mqtt::reason::Reason;

use super::client::{Client, accepted, ended, unexpected};
use super::parameters::{VERSION, client};
use crate::load::{plan, verify_answers};

/// `mqtt/takeover_storm`.
pub(crate) struct TakeoverStorm;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/takeover_storm",
    question: "What does it cost to move a client from one connection to another?",
    operations: "takeovers",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "clients",
            kind: ParameterKind::Count,
            default: "32",
            smoke: Some("4"),
            about: "Clients, each with two connections that contend for its session.",
        },
        VERSION,
    ],
};

impl Scenario for TakeoverStorm {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        let clients = params.count("clients");
        Ok(LoadPlan {
            together: true,
            ..plan(params, clients.saturating_mul(2))?
        })
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        let name = format!("ringside-{}", connection % params.count("clients"));
        Box::new(Contender {
            client: client(params, name),
            stage: Stage::Away,
        })
    }

    fn verify(&self, _params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_answers(measures)
    }
}

/// A connection that takes the session and has it until it is taken: that is one operation.
struct Contender {
    client: Client,
    stage: Stage,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Away,
    Asking(Operation),
    In(Operation),
}

impl Session for Contender {
    fn open(&mut self, _out: &mut Vec<u8>) {
        self.stage = Stage::Away;
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        if let Some(operation) = operations.first() {
            self.stage = Stage::Asking(*operation);
            self.client.connect(out);
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        _done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let Self { client, stage } = self;
        let consumed = client.packets(input, |packet| match (packet, *stage) {
            (Packet::ConnAck(answer), Stage::Asking(operation)) => {
                *stage = Stage::In(operation);
                accepted(answer)
            }
            // Only 5.0 has words for it; the close follows.
            (Packet::Disconnect(farewell), Stage::In(_))
                if farewell.reason == Reason::SESSION_TAKEN_OVER =>
            {
                Ok(())
            }
            (packet, _) => unexpected("a welcome, and an end when the session is taken", packet),
        })?;
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }

    fn closed(&mut self, done: &mut Vec<Completion>) -> bool {
        let Stage::In(operation) = self.stage else {
            return false;
        };
        done.push(ended(operation));
        true
    }
}
