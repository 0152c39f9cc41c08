//! HTTP with a fixed pool of threads.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::blocking_pool;

use crate::service::{BODY, SEND_ZC_NEEDS_A_RING, body_support, prepare};

/// `http/blocking_pool`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockingPool;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/blocking_pool",
    about: "Two threads for each core take ready connections from one queue and serve them in turn.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for BlockingPool {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, axes: &Settings) -> Support {
        body_support(axes, &[SEND_ZC_NEEDS_A_RING])
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        blocking_pool::start(http, &options)
    }
}
