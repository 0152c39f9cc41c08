//! MQTT with a fixed pool of threads.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{EngineOptions, blocking_pool};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/blocking_pool`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockingPool;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/blocking_pool",
    about: "Two threads for each core take ready connections from one queue and serve them in turn.",
    axes: &BrokerSettings::AXES,
    ranked: true,
};

impl Implementation for BlockingPool {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, _axes: &Settings) -> Support {
        Support::Yes
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            blocking_pool::start(mqtt, &EngineOptions::new(options)?)
        })
    }
}
