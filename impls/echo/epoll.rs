//! Echo on one readiness loop.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{EngineOptions, epoll};

use crate::core::Echo;

/// `echo/epoll`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoll;

static META: ImplementationMeta = ImplementationMeta {
    id: "echo/epoll",
    about: "One edge-triggered epoll loop on one thread, and a further one when its table is full; each has one \
            read buffer for all connections.",
    axes: &[],
    ranked: true,
};

impl Implementation for Epoll {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, _axes: &Settings) -> Support {
        Support::Yes
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        epoll::start(Echo, &EngineOptions::new(options)?)
    }
}
