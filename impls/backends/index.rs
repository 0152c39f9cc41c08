//! The names of those that are well in a list of their own, which changes when one does: what document 002 asks for. The
//! backend itself is then looked up by its name.

use std::collections::HashMap;
use std::net::SocketAddr;

use parking_lot::RwLock;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::backends::BackendTable;

use super::work::{Backend, NamedBackends, all_well, at, name};
use crate::map::Hasher;

/// `backends/index`.
pub(crate) struct Index {
    backends: RwLock<HashMap<String, Backend, Hasher>>,
    /// Names of those that are well, in their order.
    well: RwLock<Vec<String>>,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "backends/index",
    about: "A map of backends by name, and a list of the names of those that are well, each behind a lock of many readers, as the \
            document has it.",
    axes: &[],
    ranked: true,
};

impl NamedBackends for Index {
    const META: &'static ImplementationMeta = &META;

    fn new(backends: u32) -> Self {
        let all = || all_well(backends);
        let named = |backend: Backend| (backend.name.clone(), backend);
        Self {
            backends: RwLock::new(all().map(named).collect()),
            well: RwLock::new(all().map(|backend| backend.name).collect()),
        }
    }
}

impl BackendTable for Index {
    fn pick(&self, turn: u32) -> Option<SocketAddr> {
        let name = at(&self.well.read(), turn)?.clone();
        self.backends
            .read()
            .get(&name)
            .map(|backend| backend.address)
    }

    fn set_health(&self, backend: u32, is_well: bool) {
        let name = name(backend);
        // The list is locked first and to the end, so that two changes leave both in the same state.
        let mut well = self.well.write();
        let mut backends = self.backends.write();
        let Some(backend) = backends.get_mut(&name) else {
            return;
        };
        backend.is_well = is_well;
        match (well.binary_search(&name), is_well) {
            (Err(place), true) => well.insert(place, name),
            (Ok(place), false) => drop(well.remove(place)),
            (Ok(_), true) | (Err(_), false) => {}
        }
    }
}
