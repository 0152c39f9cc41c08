//! HTTP on tokio-uring.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::tokio_uring;

use crate::service::{BODY, body_mode, prepare};

/// `http/tokio_uring`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokioUring;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/tokio_uring",
    about: "A tokio-uring runtime for each worker: tokio over a ring that it watches by epoll.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for TokioUring {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        tokio_uring::support(host, body_mode(axes))
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        tokio_uring::start(http, &options)
    }
}
