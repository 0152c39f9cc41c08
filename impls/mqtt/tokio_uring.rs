//! MQTT on tokio-uring.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{BodyMode, EngineOptions, tokio_uring};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/tokio_uring`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokioUring;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/tokio_uring",
    about: "A tokio-uring runtime for each worker: tokio over a ring that it watches by epoll.",
    axes: &BrokerSettings::AXES,
    ranked: true,
};

impl Implementation for TokioUring {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, _axes: &Settings) -> Support {
        tokio_uring::support(host, BodyMode::Memory)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            tokio_uring::start(mqtt, &EngineOptions::new(options)?)
        })
    }
}
