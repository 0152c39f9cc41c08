//! Many publishers to one subscriber: what a message costs where all of them meet.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use super::message::payload_size;
use super::parameters::{QOS, SIZE, Setting, VERSION, window};
use super::publisher::Publisher;
use super::subscriber::Subscriber;
use crate::load::{plan, verify_load};

/// `mqtt/fan_in`.
pub(crate) struct FanIn;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/fan_in",
    question: "How much processor time does one message cost, of many clients to one?",
    operations: "messages",
    ranked_by: "operations_per_cpu_s",
    parameters: &[
        Parameter {
            name: "publishers",
            kind: ParameterKind::Count,
            default: "100",
            smoke: Some("8"),
            about: "Clients that publish, each to a topic of its own.",
        },
        Parameter {
            name: "by",
            kind: ParameterKind::Choice(&["wildcard", "shared"]),
            default: "wildcard",
            smoke: None,
            about: "The subscriber's filter: `fan_in/+`, or the same as the only member of a group.",
        },
        QOS,
        SIZE,
        VERSION,
        window("16"),
    ],
};

impl Scenario for FanIn {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let publishers = params.count("publishers");
        Ok(LoadPlan {
            active: publishers,
            together: true,
            ..plan(params, publishers.saturating_add(1))?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let setting = Setting::new(params, seed, connection);
        // Publishers come first: they are those that carry operations.
        if connection < params.count("publishers") {
            let topic = format!("fan_in/{connection}");
            return Box::new(Publisher::new(setting, connection, topic));
        }
        let filter = match params.text("by") {
            "shared" => "$share/all/fan_in/+",
            _ => "fan_in/+",
        };
        Box::new(Subscriber::new(setting, filter.to_owned()))
    }

    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        verify_load(measures, params.count("publishers").saturating_add(1))
    }
}
