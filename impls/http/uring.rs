//! HTTP on one io_uring.

use ringside_contract::{
    Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError, Support,
};
use ringside_engine::uring::{self, RingSettings};

use crate::service::{BODY, prepare};

/// `http/uring`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uring;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/uring",
    about: "One io_uring on one thread, and a further one when its table is full: multishot accept and receive into provided buffers, direct \
            descriptors, one system call for each batch.",
    axes: &[
        BODY,
        RingSettings::MULTISHOT,
        RingSettings::BUFFERS,
        RingSettings::DEFER_TASKRUN,
        RingSettings::SQPOLL,
        RingSettings::FILES,
        RingSettings::WAIT,
        RingSettings::IO_DEPTH,
    ],
    ranked: true,
};

impl Implementation for Uring {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        RingSettings::support(host, axes)
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let settings = RingSettings::new(&options.axes)?;
        let (http, options) = prepare(options)?;
        uring::start(http, &options, &settings)
    }
}
