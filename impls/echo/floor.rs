//! The least that an echo costs: the system calls that a right answer needs, and no core.

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::uring::RingSettings;
use ringside_engine::{EngineOptions, FloorReply, floor_epoll, floor_uring};

/// `echo/floor`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor;

static META: ImplementationMeta = ImplementationMeta {
    id: "echo/floor",
    about: "Only the system calls that an echo needs; a limit for the others, never ranked.",
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
            Some("uring") => floor_uring::start(FloorReply::Echo, &engine),
            _ => floor_epoll::start(FloorReply::Echo, &engine),
        }
    }
}
