//! HTTP on a readiness loop for each core.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::{PerCoreListen, per_core_epoll};

use crate::service::{BODY, SEND_ZC_NEEDS_A_RING, body_support, prepare};

/// `http/per_core_epoll`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PerCoreEpoll;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/per_core_epoll",
    about: "An epoll loop and a listener for each core, and a further loop when the table is full; nothing shared \
            but the files.",
    axes: &[BODY, PerCoreListen::AXIS],
    ranked: true,
};

impl Implementation for PerCoreEpoll {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, axes: &Settings) -> Support {
        body_support(axes, &[SEND_ZC_NEEDS_A_RING])
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let listen = PerCoreListen::from_options(options)?;
        let (http, options) = prepare(options)?;
        per_core_epoll::start(http, &options, listen)
    }
}
