//! Echo on a readiness loop for each core.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{EngineOptions, PerCoreListen, per_core_epoll};

use crate::core::Echo;

/// `echo/per_core_epoll`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerCoreEpoll;

static META: ImplementationMeta = ImplementationMeta {
    id: "echo/per_core_epoll",
    about: "An epoll loop and a listener for each core, and a further loop when the table is full; nothing shared \
            between them.",
    axes: &[PerCoreListen::AXIS],
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
        per_core_epoll::start(Echo, &EngineOptions::new(options)?, listen)
    }
}
