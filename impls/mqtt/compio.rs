//! MQTT on compio.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{BodyMode, EngineOptions, compio};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/compio`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compio;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/compio",
    about: "A compio runtime for each worker, on a ring of its own; no worker shares anything.",
    axes: &BrokerSettings::AXES,
    ranked: true,
};

impl Implementation for Compio {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, _axes: &Settings) -> Support {
        compio::support(host, BodyMode::Memory)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            compio::start(mqtt, &EngineOptions::new(options)?)
        })
    }
}
