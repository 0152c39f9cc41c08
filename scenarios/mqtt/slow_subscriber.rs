//! One publisher to many subscribers, some of which have stopped reading: whether they hold up those who
//! read. Held against the same with `slow=0`.

use ringside_contract::{
    LoadPlan, Measures, ParamError, Parameter, ParameterKind, Params, Scenario, ScenarioMeta,
    Session, Violation,
};

use ringside_wire::mqtt::QualityOfService;

use super::message::payload_size;
use super::parameters::{SIZE, Setting, VERSION, window};
use super::publisher::Publisher;
use super::subscriber::Subscriber;
use crate::load::{plan, verify_load};

/// `mqtt/slow_subscriber`.
pub(crate) struct SlowSubscriber;

const META: ScenarioMeta = ScenarioMeta {
    id: "mqtt/slow_subscriber",
    question: "Does a subscriber that stopped reading hold up those who read?",
    operations: "deliveries",
    ranked_by: "latency_p99",
    parameters: &[
        Parameter {
            name: "subscribers",
            kind: ParameterKind::Count,
            default: "100",
            smoke: Some("10"),
            about: "Clients that each get every message, the slow ones among them.",
        },
        Parameter {
            name: "slow",
            kind: ParameterKind::Choice(&["0", "1", "10"]),
            default: "1",
            smoke: None,
            about: "Of these, how many read nothing once they have subscribed.",
        },
        Parameter {
            name: "load",
            kind: ParameterKind::Choice(&["closed", "open", "sweep"]),
            default: "open",
            smoke: None,
            about: "open publishes `rate` times a second.",
        },
        Parameter {
            name: "rate",
            kind: ParameterKind::Rate,
            default: "200",
            smoke: None,
            about: "Messages a second; each is delivered to all.",
        },
        SIZE,
        VERSION,
        window("16"),
    ],
};

impl Scenario for SlowSubscriber {
    fn meta(&self) -> &'static ScenarioMeta {
        &META
    }

    fn load(&self, params: &Params) -> Result<LoadPlan, ParamError> {
        payload_size(params)?;
        let (subscribers, slow) = (params.count("subscribers"), params.count("slow"));
        if slow >= subscribers {
            let because = format!("slow={slow}: somebody of {subscribers} has to read");
            return Err(ParamError::Conflict { because });
        }
        Ok(LoadPlan {
            active: 1,
            together: true,
            deliveries: subscribers - slow,
            stalled: slow,
            ..plan(params, subscribers.saturating_add(1))?
        })
    }

    fn session(&self, params: &Params, seed: u64, connection: u32) -> Box<dyn Session> {
        let setting = Setting::of_quality(params, seed, connection, QualityOfService::AtMostOnce);
        let topic = "slow_subscriber".to_owned();
        // The publisher comes first, the slow ones last.
        if connection == 0 {
            Box::new(Publisher::new(setting, connection, topic))
        } else {
            Box::new(Subscriber::new(setting, topic))
        }
    }

    /// A broker may drop a client that does not read, but none that does.
    fn verify(&self, params: &Params, measures: &Measures) -> Result<(), Violation> {
        let readers = params.count("subscribers") - params.count("slow");
        verify_load(measures, readers.saturating_add(1))
    }
}
