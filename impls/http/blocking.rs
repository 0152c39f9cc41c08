//! HTTP with a thread for each connection.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::blocking;

use crate::service::{BODY, SEND_ZC_NEEDS_A_RING, body_support, prepare};

/// `http/blocking`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocking;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/blocking",
    about: "A thread for each connection, with blocking reads and writes.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for Blocking {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, _host: &Host, axes: &Settings) -> Support {
        body_support(axes, &[SEND_ZC_NEEDS_A_RING])
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        blocking::start(http, &options)
    }
}
