//! HTTP on compio.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::compio;

use crate::service::{BODY, body_mode, prepare};

/// `http/compio`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compio;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/compio",
    about: "A compio runtime for each worker, on a ring of its own; no worker shares anything but the files.",
    axes: &[BODY],
    ranked: true,
};

impl Implementation for Compio {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        compio::support(host, body_mode(axes))
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let (http, options) = prepare(options)?;
        compio::start(http, &options)
    }
}
