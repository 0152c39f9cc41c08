//! All backends looked at for each request, and those that are well copied, as document 002 has it to begin with.

use std::collections::HashMap;
use std::net::SocketAddr;

use parking_lot::RwLock;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::backends::BackendTable;

use super::work::{Backend, NamedBackends, all_well, at, name};
use crate::map::Hasher;

/// `backends/filter`.
pub(crate) struct Filter(RwLock<HashMap<String, Backend, Hasher>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "backends/filter",
    about: "A map of backends by name behind a lock of many readers: each request copies all that are well and takes one, as \
            the document does.",
    axes: &[],
    ranked: true,
};

impl NamedBackends for Filter {
    const META: &'static ImplementationMeta = &META;

    fn new(backends: u32) -> Self {
        let named = |backend: Backend| (backend.name.clone(), backend);
        Self(RwLock::new(all_well(backends).map(named).collect()))
    }
}

impl BackendTable for Filter {
    fn pick(&self, turn: u32) -> Option<SocketAddr> {
        let backends = self.0.read();
        let well = backends.values().filter(|backend| backend.is_well);
        let well: Vec<Backend> = well.cloned().collect();
        at(&well, turn).map(|backend| backend.address)
    }

    fn set_health(&self, backend: u32, is_well: bool) {
        if let Some(backend) = self.0.write().get_mut(&name(backend)) {
            backend.is_well = is_well;
        }
    }
}
