//! HTTP on the best loop that the machine allows.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::auto;

use crate::service::{BODY, prepare};

/// `http/auto`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Auto;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/auto",
    about: "Probes the machine: a ring for each worker where io_uring can be had, else epoll.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for Auto {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        auto::support(host, axes)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        auto::start(http, &options)
    }
}
