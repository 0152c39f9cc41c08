//! The least that messages cost over these engines: bytes are passed on, and no packet is read but the
//! handshakes.

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::uring::{self, RingSettings};
use ringside_engine::{EngineOptions, epoll};

use crate::relay::Relay;

/// `mqtt/floor`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor;

static META: ImplementationMeta = ImplementationMeta {
    id: "mqtt/floor",
    about: "Passes a publisher's bytes on unread, to those who subscribed to its topic; answers \
            handshakes and pings, and nothing else. A limit for the others, never ranked.",
    axes: &[Axis {
        name: "io",
        values: &["epoll", "uring"],
        default: "epoll",
        about: "How the kernel is asked.",
    }],
    ranked: false,
};

impl Implementation for Floor {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        match axes.value("io") {
            Some("uring") => RingSettings::support(host, &Settings::default()),
            _ => Support::Yes,
        }
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let engine = EngineOptions::new(options)?;
        match options.axes.value("io") {
            Some("uring") => uring::start(Relay::default(), &engine, &RingSettings::default()),
            _ => epoll::start(Relay::default(), &engine),
        }
    }
}
