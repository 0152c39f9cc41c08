//! A ring and a listener for each core; the loops share nothing but the protocol.

use std::sync::Arc;

use ringside_contract::{Endpoint, Service, StartError};

use crate::listener::PerCoreListen;
use crate::service::Workers;
use crate::uring::{RingSettings, spawn_loop};
use crate::{EngineOptions, Protocol};

/// Starts `workers` loops, each pinned to its processor, with listeners as `listen` says.
///
/// # Errors
/// [`StartError`]: an address cannot be used, a processor cannot be had, the kernel refuses the ring,
/// or the body mode is none of io_uring's.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
    settings: &RingSettings,
    listen: PerCoreListen,
) -> Result<Box<dyn Service>, StartError> {
    let count = options.serve.workers.max(1);
    // All listeners are open before the first worker runs: none of them takes more than its share.
    let listeners = listen.open(count, &options.serve)?;
    let addresses = listen.addresses(&listeners);
    let protocol = Arc::new(protocol);
    let mut workers = Workers::new()?;
    for (worker, listener) in listeners.into_iter().enumerate() {
        spawn_loop(&mut workers, worker, listener, &protocol, options, settings)?;
    }
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: count,
        chosen: String::new(),
    }))
}
