//! Clients that vanish without a word: the broker publishes the will of each, and one subscriber waits
//! for them.

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, ParamError, Parameter, ParameterKind, Params,
    ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::packet::Packet;

use super::client::{accepted, unexpected};
use super::message::payload_size;
use super::parameters::{QOS, SIZE, Setting, VERSION};
use super::subscriber::Subscriber;
use crate::load::{plan, verify_answers};

/// `mqtt/wills`.
pub(crate) struct Wills;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/wills",
    question: "What does a client cost that vanishes and leaves a will?",
    operations: "wills",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "clients",
            kind: ParameterKind::Count,
            default: "64",
            smoke: Some("8"),
            about: "Clients that connect, vanish, and come back once their will was published.",
        },
        QOS,
        SIZE,
        VERSION,
    ],
};

impl Scenario for Wills {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let clients = params.count("clients");
        Ok(LoadPlan {
            active: clients,
            together: true,
            ..plan(params, clients.saturating_add(1))?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let setting = Setting::new(params, seed, connection);
        // The clients come first: they are those that carry operations.
        if connection < params.count("clients") {
            Box::new(Mortal {
                setting,
                number: connection,
                topic: format!("wills/{connection}"),
                payload: Vec::new(),
            })
        } else {
            Box::new(Subscriber::new(setting, "wills/+".to_owned()))
        }
    }

    fn verify(&self, _params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_answers(measures)
    }
}

/// A client that closes its connection without a DISCONNECT as soon as it is welcome. The operation ends
/// with the subscriber.
struct Mortal {
    setting: Setting,
    number: u32,
    topic: String,
    payload: Vec<u8>,
}

impl Session for Mortal {
    fn open(&mut self, _out: &mut Vec<u8>) {}

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        let Self {
            setting,
            number,
            topic,
            payload,
        } = self;
        if let Some(operation) = operations.first() {
            setting.payloads.write(*number, operation, payload);
            let will = encode::Will {
                topic,
                payload,
                quality: setting.quality,
                retain: false,
                properties: &[],
            };
            setting.client.connect_with(Some(will), true, out);
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        _done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let mut reconnect = false;
        let consumed = self.setting.client.packets(input, |packet| match packet {
            Packet::ConnAck(answer) => {
                reconnect = true;
                accepted(answer)
            }
            packet => unexpected("one CONNACK", packet),
        })?;
        Ok(Received {
            consumed,
            reconnect,
            ..Received::default()
        })
    }
}
