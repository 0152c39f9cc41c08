//! HTTP on one readiness loop.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::epoll;

use crate::service::{BODY, SEND_ZC_NEEDS_A_RING, body_support, prepare};

/// `http/epoll`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoll;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/epoll",
    about: "One edge-triggered epoll loop on one thread, and a further one when its table is full; each has one \
            read buffer for all connections.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for Epoll {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, axes: &Settings) -> Support {
        body_support(axes, &[SEND_ZC_NEEDS_A_RING])
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        epoll::start(http, &options)
    }
}
