//! Clients that stay: what a connection costs that is only kept, with a ping now and then.

use std::collections::VecDeque;

use ringside_contract::{
    Completion, LoadPlan, Measures, Operation, ParamError, Parameter, ParameterKind, Params,
    ProtocolError, Received, Scenario, ScenarioMeta, Session, Violation,
};
use ringside_wire::mqtt::QualityOfService;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::Packet;

use super::client::{Client, accepted, ended, unexpected, wanted};
use super::parameters::{VERSION, client};
use crate::load::{plan, verify_load};

/// `mqtt/hold`.
pub(crate) struct Hold;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/hold",
    question: "How much memory does a client cost that only stays?",
    operations: "pings",
    ranked_by: "memory_per_connection",
    parameters: &[
        Parameter {
            name: "connections",
            kind: ParameterKind::Count,
            default: "10000",
            smoke: Some("200"),
            about: "Clients that stay. Fewer would answer another question: where the limit on open \
                    files does not allow them, the load is refused.",
        },
        Parameter {
            name: "subscribe",
            kind: ParameterKind::Choice(&["off", "on"]),
            default: "off",
            smoke: None,
            about: "Whether each client has a subscription of its own.",
        },
        Parameter {
            name: "load",
            kind: ParameterKind::Choice(&["closed", "open", "sweep"]),
            default: "open",
            smoke: None,
            about: "open pings `rate` times a second, over all clients in turn.",
        },
        Parameter {
            name: "rate",
            kind: ParameterKind::Rate,
            default: "1000",
            smoke: None,
            about: "Pings a second over all clients.",
        },
        VERSION,
    ],
};

impl Scenario for Hold {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        plan(params, params.count("connections"))
    }

    fn session(&self, params: &Params, _seed: u64, connection: u32) -> Box<dyn Session> {
        let filter = (params.text("subscribe") == "on").then(|| format!("hold/{connection}"));
        Box::new(Stayer {
            client: client(params, format!("ringside-{connection}")),
            filter,
            stage: Stage::Connecting,
            pings: VecDeque::new(),
        })
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("connections"))?;
        if measures.errors > 0 {
            return Err(Violation {
                because: format!(
                    "{} pings were lost while the clients stayed: the broker dropped clients ({})",
                    measures.errors,
                    measures.error_samples.join("; ")
                ),
            });
        }
        Ok(())
    }
}

/// A client that pings when it is told to.
struct Stayer {
    client: Client,
    /// Its subscription, if it has one.
    filter: Option<String>,
    stage: Stage,
    pings: VecDeque<Operation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Subscribing,
    Ready,
}

impl Session for Stayer {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.stage = Stage::Connecting;
        self.pings.clear();
        self.client.connect(out);
    }

    fn is_ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            self.pings.push_back(*operation);
            encode::ping(out, Kind::PingReq);
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
            filter,
            stage,
            pings,
        } = self;
        let version = client.version();
        let consumed = client.packets(input, |packet| match (packet, *stage) {
            (Packet::PingResp, Stage::Ready) => match pings.pop_front() {
                Some(ping) => {
                    done.push(ended(ping));
                    Ok(())
                }
                None => Err("the broker answered a ping that was not sent".to_owned()),
            },
            (Packet::ConnAck(answer), Stage::Connecting) => {
                accepted(answer)?;
                *stage = Stage::Ready;
                if let Some(filter) = filter {
                    *stage = Stage::Subscribing;
                    let wanted = wanted(filter, QualityOfService::AtMostOnce);
                    encode::subscribe(out, version, 1, &[], &[wanted]);
                }
                Ok(())
            }
            (Packet::SubAck(answer), Stage::Subscribing) if *answer.codes == [0] => {
                *stage = Stage::Ready;
                Ok(())
            }
            (packet, _) => unexpected("the answer to a ping", packet),
        })?;
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}
