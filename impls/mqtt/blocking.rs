//! MQTT with a thread for each connection.

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::{EngineOptions, blocking};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/blocking`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocking;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/blocking",
    about: "A thread for each connection, which sleeps until its socket or another connection wakes it.",
    axes: &Axis::join::<8>(&[BrokerSettings::FAN_OUT], &BrokerSettings::AXES),
    ranked: true,
};

impl Implementation for Blocking {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, _axes: &Settings) -> Support {
        Support::Yes
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            blocking::start(mqtt, &EngineOptions::new(options)?)
        })
    }
}
