//! A stack of connections behind parking_lot's lock.

use ringside_contract::operations::pool::{Connection, ConnectionHandle};
use ringside_contract::{ImplementationMeta, StartError};

use super::connections::{ConnectionPool, NamedConnections, stack};

/// `pool/parking_lot`.
pub(crate) struct ParkingLot(parking_lot::Mutex<Vec<Connection>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/parking_lot",
    about: "A stack of connections behind one parking_lot::Mutex.",
    axes: &[],
    ranked: true,
};

impl NamedConnections for ParkingLot {
    const META: &'static ImplementationMeta = &META;
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
