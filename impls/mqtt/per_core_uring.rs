//! MQTT on an io_uring for each core.

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::uring::RingSettings;
use ringside_engine::{EngineOptions, PerCoreListen, per_core_uring};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/per_core_uring`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerCoreUring;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/per_core_uring",
    about: "An io_uring and a listener for each core, nothing shared between them.",
    axes: &Axis::join::<8>(&[PerCoreListen::AXIS], &BrokerSettings::AXES),
    ranked: true,
};

impl Implementation for PerCoreUring {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        RingSettings::support(host, axes)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let listen = PerCoreListen::from_options(options)?;
        let settings = RingSettings::new(&options.axes)?;
        served(options, |mqtt| {
            per_core_uring::start(mqtt, &EngineOptions::new(options)?, &settings, listen)
        })
    }
}
