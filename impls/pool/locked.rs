//! A stack of connections behind a lock: the standard library's, and parking_lot's.

use std::sync::PoisonError;

use ringside_contract::operations::pool::{Connection, ConnectionHandle};
use ringside_contract::{ImplementationMeta, StartError};

use super::connections::{ConnectionPool, NamedConnections};

/// `pool/mutex`.
pub(crate) struct Mutex(std::sync::Mutex<Vec<Connection>>);

/// `pool/parking_lot`.
pub(crate) struct ParkingLot(parking_lot::Mutex<Vec<Connection>>);

static MUTEX: ImplementationMeta = ImplementationMeta {
    id: "pool/mutex",
    about: "A stack of connections behind one std::sync::Mutex.",
    axes: &[],
    ranked: true,
};

static PARKING_LOT: ImplementationMeta = ImplementationMeta {
    id: "pool/parking_lot",
    about: "A stack of connections behind one parking_lot::Mutex.",
    axes: &[],
    ranked: true,
};

impl NamedConnections for Mutex {
    const META: &'static ImplementationMeta = &MUTEX;
}

impl NamedConnections for ParkingLot {
    const META: &'static ImplementationMeta = &PARKING_LOT;
}

/// So many connections.
pub(super) fn stack(most: u32) -> Vec<Connection> {
    (0..most).map(Connection::stand_in).collect()
}

impl ConnectionPool for Mutex {
    type Handle<'a> = &'a Self;

    fn new(most: u32) -> Result<Self, StartError> {
        Ok(Self(std::sync::Mutex::new(stack(most))))
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

impl ConnectionPool for ParkingLot {
    type Handle<'a> = &'a Self;

    fn new(most: u32) -> Result<Self, StartError> {
        Ok(Self(parking_lot::Mutex::new(stack(most))))
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl ConnectionHandle for &ParkingLot {
    #[inline]
    fn take(&mut self) -> Option<Connection> {
        self.0.lock().pop()
    }

    #[inline]
    fn put(&mut self, connection: Connection) {
        self.0.lock().push(connection);
    }
}
