//! A readiness loop and a listener for each core; the loops share nothing but the protocol. They begin in
//! the process's table of descriptors; when that is nearly full, each gets a further loop on its core, with a
//! table of its own.

use ringside_contract::{Endpoint, Service, StartError};

use crate::epoll::{Loops, spawn_loop};
use crate::listener::PerCoreListen;
use crate::service::Workers;
use crate::{EngineOptions, Protocol};

/// Starts `workers` loops, each pinned to its processor, with listeners as `listen` says.
///
/// # Errors
/// [`StartError`]: an address cannot be used, a processor cannot be had, or the body mode needs
/// io_uring.
pub fn start<P: Protocol>(
    protocol: P,
    options: &EngineOptions,
    listen: PerCoreListen,
) -> Result<Box<dyn Service>, StartError> {
    let count = options.serve.workers.max(1);
    // All listeners are open before the first worker runs: none of them takes more than its share.
    let listeners = listen.open(count, &options.serve)?;
    let addresses = listen.addresses(&listeners);
    let mut workers = Workers::new()?;
    let loops = Loops::new(protocol, count, options.body, workers.stop_signal())?;
    for (worker, listener) in listeners.into_iter().enumerate() {
        spawn_loop(&mut workers, worker, listener, &loops, options)?;
    }
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: count,
        chosen: String::new(),
    }))
}
