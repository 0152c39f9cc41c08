//! MQTT on tokio.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{EngineOptions, tokio};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/tokio`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokio;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/tokio",
    about: "A task for each connection on tokio: current-thread with one worker, else multi-thread.",
    axes: &BrokerSettings::AXES,
    ranked: true,
};

impl Implementation for Tokio {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, _axes: &Settings) -> Support {
        Support::Yes
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            tokio::start(mqtt, &EngineOptions::new(options)?)
        })
    }
}
