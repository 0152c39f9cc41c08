//! MQTT on one io_uring.

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::EngineOptions;
use ringside_engine::uring::{self, RingSettings};

use crate::served::served;
use crate::settings::BrokerSettings;

/// `mqtt/uring`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uring;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/uring",
    about: "One io_uring on one thread, and a further one when its table is full: multishot accept and receive into provided buffers, direct \
            descriptors, one system call for each batch.",
    axes: &Axis::join::<14>(RingSettings::AXES, &BrokerSettings::AXES_OF_ONE_LOOP),
    ranked: true,
};

impl Implementation for Uring {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        RingSettings::support(host, axes)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        served(options, |mqtt| {
            uring::start(
                mqtt,
                &EngineOptions::new(options)?,
                &RingSettings::new(&options.axes)?,
            )
        })
    }
}
