//! The backends of a proxy: which of those that are well gets the next request.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// The most backends.
pub const BACKENDS_MAX: u32 = 64;

/// Requests that each get a backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackendTask {
    /// How many there are, from 1 to [`BACKENDS_MAX`].
    pub backends: u32,
    /// Of these, ill ones from the beginning; fewer than there are.
    pub ill: u32,
    /// Of 1,000 operations so many find that one has become ill or well again; the others ask for one.
    pub changes: u32,
}

/// Where a backend is reached.
pub const fn address(number: u32) -> SocketAddr {
    let [_, high, middle, low] = number.to_be_bytes();
    SocketAddr::new(
        std::net::IpAddr::V4(Ipv4Addr::new(10, high, middle, low)),
        27017,
    )
}

/// Backends with their health, all well to begin with.
pub trait BackendTable: Send + Sync {
    /// The address of one that is well, `None` where none is: of those, in a fixed order, the one at place `turn`, from the
    /// first again behind the last. So requests that count `turn` up go round among them.
    fn pick(&self, turn: u32) -> Option<SocketAddr>;

    /// Notes that one is well or ill. Who asks behind that is told accordingly.
    fn set_health(&self, backend: u32, is_well: bool);
}

/// One way to keep them, for conformance cases.
pub trait TestedBackends: Send + Sync {
    /// So many, from 1 to [`BACKENDS_MAX`].
    fn of(&self, backends: u32) -> Box<dyn BackendTable>;
}
