//! HTTP on tokio.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::tokio;

use crate::service::{BODY, body_mode, prepare};

/// `http/tokio`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tokio;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/tokio",
    about: "A task for each connection on tokio: current-thread with one worker, else multi-thread.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for Tokio {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        tokio::support(host, body_mode(axes))
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        tokio::start(http, &options)
    }
}
