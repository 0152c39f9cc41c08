//! One publisher to many subscribers: what each delivery of a message costs.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::message::payload_size;
use super::parameters::{QOS, SIZE, Setting, VERSION, window};
use super::publisher::Publisher;
use super::subscriber::Subscriber;
use crate::load::{plan, verify_load};

/// `mqtt/fan_out`.
pub(crate) struct FanOut;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/fan_out",
    question: "How much processor time does one delivery cost, of a message to many clients?",
    operations: "deliveries",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "subscribers",
            kind: ParameterKind::Count,
            default: "1000",
            smoke: Some("20"),
            about: "Clients that each get every message; 100 and 1,000 are in the plans.",
        },
        QOS,
        SIZE,
        VERSION,
        window("16"),
    ],
};

impl Scenario for FanOut {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let subscribers = params.count("subscribers");
        Ok(LoadPlan {
            active: 1,
            together: true,
            deliveries: subscribers,
            ..plan(params, subscribers.saturating_add(1))?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let setting = Setting::new(params, seed, connection);
        let topic = "fan_out".to_owned();
        // The publisher comes first: it is the one that carries operations.
        if connection == 0 {
            Box::new(Publisher::new(setting, connection, topic))
        } else {
            Box::new(Subscriber::new(setting, topic))
        }
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("subscribers").saturating_add(1))
    }
}
