//! One publisher and one subscriber for each topic: what a message costs that goes to one client.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::message::payload_size;
use super::parameters::{QOS, SIZE, Setting, VERSION, window};
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
        QOS,
        SIZE,
        VERSION,
        window("64"),
    ],
};

impl Scenario for Pairs {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        load(params, params.count("pairs"))
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        session(params, seed, connection, params.count("pairs"))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify(measures, params.count("pairs"))
    }
}

/// The load of so many pairs.
pub(super) fn load(params: &Params, pairs: u32) -> Result<LoadPlan, ParamError> {
    payload_size(params)?;
    let Some(connections) = pairs.checked_mul(2) else {
        let because = format!("{pairs} pairs: too many");
        return Err(ParamError::Conflict { because });
    };
    Ok(LoadPlan {
        active: pairs,
        together: true,
        ..plan(params, connections)?
    })
}

/// Connection number `connection`: publishers come first, since they are those that carry operations.
pub(super) fn session(params: &Params, seed: u64, connection: u32, pairs: u32) -> Box<dyn Session> {
    let setting = Setting::new(params, seed, connection);
    let topic = format!("pairs/{}", connection % pairs);
    if connection < pairs {
        Box::new(Publisher::new(setting, connection, topic))
    } else {
        Box::new(Subscriber::new(setting, topic))
    }
}

/// What must hold of a block.
pub(super) fn verify(measures: &Measures, pairs: u32) -> Result<(), Violation> {
    verify_load(measures, pairs.saturating_mul(2))
}
