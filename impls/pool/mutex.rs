//! A stack of connections behind the standard library's lock.

use std::sync::{self, PoisonError};

use ringside_contract::operations::pool::{Connection, ConnectionHandle};
use ringside_contract::{ImplementationMeta, StartError};

use super::connections::{ConnectionPool, NamedConnections, stack};

/// `pool/mutex`.
pub(crate) struct Mutex(sync::Mutex<Vec<Connection>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/mutex",
    about: "A stack of connections behind one std::sync::Mutex.",
    axes: &[],
    ranked: true,
};

impl NamedConnections for Mutex {
    const META: &'static ImplementationMeta = &META;
}

impl ConnectionPool for Mutex {
    type Handle<'a> = &'a Self;

    fn new(most: u32) -> Result<Self, StartError> {
        Ok(Self(sync::Mutex::new(stack(most))))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl ConnectionHandle for &Mutex {
    #[inline]
    fn take(&mut self) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    #[inline]
    fn put(&mut self, connection: Connection) {
        let mut stack = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stack.push(connection);
    }
}
