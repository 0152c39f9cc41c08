//! MQTT on a readiness loop for each core.

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::{EngineOptions, PerCoreListen, per_core_epoll};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/per_core_epoll`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerCoreEpoll;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/per_core_epoll",
    about: "An epoll loop and a listener for each core, and a further loop when the table is full; nothing shared \
            between them.",
    axes: &Axis::join::<8>(&[PerCoreListen::AXIS], &BrokerSettings::AXES),
    ranked: true,
};

impl Implementation for PerCoreEpoll {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, _axes: &Settings) -> Support {
        Support::Yes
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let listen = PerCoreListen::from_options(options)?;
        served(options, |mqtt| {
            per_core_epoll::start(mqtt, &EngineOptions::new(options)?, listen)
        })
    }
}
