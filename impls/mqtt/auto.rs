//! MQTT on the best loop that the machine allows.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{EngineOptions, auto};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/auto`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Auto;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/auto",
    about: "Probes the machine: a ring for each worker where io_uring can be had, else epoll.",
    axes: &BrokerSettings::AXES,
    ranked: true,
};

impl Implementation for Auto {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        auto::support(host, axes)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            auto::start(mqtt, &EngineOptions::new(options)?)
        })
    }
}
