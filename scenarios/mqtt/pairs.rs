//! One publisher and one subscriber for each topic: what a message costs that goes to one client.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};
use ringside_wire::mqtt::Version;

use super::client::{Client, quality};
use super::message::{Payloads, payload_size};
use super::publisher::Publisher;
use super::subscriber::Subscriber;
use crate::load::{plan, verify_load};

/// `mqtt/pairs`.
pub(crate) struct Pairs;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/pairs",
    question: "How much processor time does one message cost, from one client to another?",
    operations: "messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "pairs",
            kind: ParameterKind::Count,
            default: "50",
            smoke: Some("4"),
            about: "Publishers, each with a topic and a subscriber of its own.",
        },
        Parameter {
            name: "qos",
            kind: ParameterKind::Choice(&["0", "1", "2"]),
            default: "0",
            smoke: None,
            about: "Quality of service of both sides.",
        },
        Parameter {
            name: "size",
            kind: ParameterKind::Size,
            default: "64B",
            smoke: None,
            about: "Bytes of a payload, at least 32 B.",
        },
        Parameter {
            name: "version",
            kind: ParameterKind::Choice(&["3.1.1", "5"]),
            default: "3.1.1",
            smoke: None,
            about: "Version of the protocol.",
        },
        Parameter {
            name: "window",
            kind: ParameterKind::Count,
            default: "64",
            smoke: None,
            about: "Messages under way from one publisher.",
        },
    ],
};

impl Scenario for Pairs {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let pairs = params.count("pairs");
        let Some(connections) = pairs.checked_mul(2) else {
            let because = format!("pairs={pairs}: too many");
            return Err(ParamError::Conflict { because });
        };
        Ok(LoadPlan {
            active: pairs,
            together: true,
            ..plan(params, connections)?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let size = payload_size(params).expect("`load` has refused other sizes");
        let payloads = Payloads::new(seed, size);
        let pairs = params.count("pairs");
        let version = match params.text("version") {
            "5" => Version::V5,
            _ => Version::V311,
        };
        // Publishers come first: they are those that carry operations.
        let topic = format!("pairs/{}", connection % pairs);
        let quality = quality(params.text("qos"));
        let client = Client::new(format!("ringside-{connection}"), version);
        if connection < pairs {
            Box::new(Publisher::new(client, connection, topic, quality, payloads))
        } else {
            Box::new(Subscriber::new(client, topic, quality, payloads))
        }
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("pairs").saturating_mul(2))
    }
}
