//! Listeners as every engine opens them, so that all servers accept under the same conditions.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use ringside_contract::{Axis, ServeOptions, StartError};
use ringside_metal::socket;

use crate::service::io_error;

/// How a listener is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listening {
    /// Several listeners share the port (`SO_REUSEPORT`).
    pub shared: bool,
    /// `accept` waits.
    pub blocking: bool,
}

/// A listening socket: a backlog of 4096, `TCP_NODELAY` and the congestion control set on it, so that
/// accepted connections inherit them.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    address: SocketAddr,
}

impl Listener {
    /// Opens it at `address`; the rest is taken from `options`.
    ///
    /// # Errors
    /// [`StartError::Io`] that names the address.
    pub fn open(
        address: SocketAddr,
        how: Listening,
        options: &ServeOptions,
    ) -> Result<Self, StartError> {
        let congestion = options.congestion.as_deref();
        let step = || match congestion {
            Some(name) => format!("listen on {address} with congestion control {name}"),
            None => format!("listen on {address}"),
        };
        let socket = socket::listen(address, how.shared, how.blocking, congestion)
            .map_err(|source| io_error(&step(), source))?;
        let address = socket::local_address(&socket).map_err(|source| io_error(&step(), source))?;
        Ok(Self { socket, address })
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> Self {
        listener.socket
    }
}

/// What the workers of an engine for each core listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerCoreListen {
    /// One port for all: each worker has a listener of its own and the kernel spreads connections.
    ReusePort,
    /// A port for each worker, counted up from the given one; port 0 takes any free ports.
    PortEach,
}

impl PerCoreListen {
    /// The axis `listen`.
    pub const AXIS: Axis = Axis {
        name: "listen",
        values: &["reuse_port", "port_each"],
        default: "reuse_port",
        about: "One port that the kernel spreads over the cores, or a port for each core.",
    };

    /// Reads the axis `listen`; without it, `reuse_port`.
    ///
    /// # Errors
    /// A value that the axis does not have.
    pub fn from_options(options: &ServeOptions) -> Result<Self, StartError> {
        Ok(match Self::AXIS.choose(&options.axes)? {
            "port_each" => Self::PortEach,
            _ => Self::ReusePort,
        })
    }

    /// Opens a listener for each of `workers`.
    ///
    /// # Errors
    /// As [`Listener::open`], or a port beyond 65535.
    pub fn open(self, workers: usize, options: &ServeOptions) -> Result<Vec<Listener>, StartError> {
        let how = Listening {
            shared: self == Self::ReusePort,
            blocking: false,
        };
        let mut listeners: Vec<Listener> = Vec::with_capacity(workers);
        for worker in 0..workers {
            let mut address = options.listen;
            match (self, listeners.first()) {
                (Self::ReusePort, Some(first)) => address = first.address(),
                (Self::PortEach, _) if address.port() != 0 => {
                    address.set_port(port_of(address.port(), worker)?);
                }
                _ => {}
            }
            listeners.push(Listener::open(address, how, options)?);
        }
        Ok(listeners)
    }

    /// The addresses that a client may use: one for a shared port, else all.
    pub fn addresses(self, listeners: &[Listener]) -> Vec<SocketAddr> {
        let count = if self == Self::ReusePort {
            1
        } else {
            listeners.len()
        };
        listeners
            .iter()
            .take(count)
            .map(Listener::address)
            .collect()
    }
}

fn port_of(first: u16, worker: usize) -> Result<u16, StartError> {
    let port = u16::try_from(worker)
        .ok()
        .and_then(|worker| first.checked_add(worker));
    port.ok_or_else(|| StartError::Option {
        option: "listen".to_owned(),
        because: format!("worker {worker} has no port left, counted up from {first}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringside_contract::Settings;

    fn options() -> ServeOptions {
        ServeOptions::local(Settings::default())
    }

    #[test]
    fn workers_share_a_port_or_have_one_each() {
        let shared = PerCoreListen::ReusePort.open(3, &options()).unwrap();
        assert_eq!(shared[0].address(), shared[2].address());
        assert_eq!(PerCoreListen::ReusePort.addresses(&shared).len(), 1);
        let each = PerCoreListen::PortEach.open(3, &options()).unwrap();
        assert_ne!(each[0].address(), each[2].address());
        assert_eq!(PerCoreListen::PortEach.addresses(&each).len(), 3);
    }

    #[test]
    fn an_address_that_is_taken_is_named() {
        let first = Listener::open(options().listen, Listening::default(), &options()).unwrap();
        let again = Listener::open(first.address(), Listening::default(), &options());
        let message = again.unwrap_err().to_string();
        assert_eq!(message, format!("failed to listen on {}", first.address()));
    }

    #[test]
    fn ports_end_at_65535() {
        assert_eq!(port_of(65_534, 1).unwrap(), 65_535);
        assert!(port_of(65_534, 2).is_err());
    }
}
