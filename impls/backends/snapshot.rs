//! A list of those that are well that nobody changes: when one becomes ill or well, a new list takes its place.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::backends::BackendTable;

use super::work::{Backend, NamedBackends, all_well, at};

/// `backends/snapshot`.
pub(crate) struct Snapshot {
    /// Who changes them holds the lock until the new list is in its place.
    backends: Mutex<Vec<Backend>>,
    well: ArcSwap<Vec<SocketAddr>>,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "backends/snapshot",
    about: "The addresses of those that are well in a list behind arc-swap, which a change replaces as a whole.",
    axes: &[],
    ranked: true,
};

impl NamedBackends for Snapshot {
    const META: &'static ImplementationMeta = &META;

    fn new(backends: u32) -> Self {
        let backends: Vec<Backend> = all_well(backends).collect();
        Self {
            well: ArcSwap::from_pointee(well(&backends)),
            backends: Mutex::new(backends),
        }
    }
}

fn well(backends: &[Backend]) -> Vec<SocketAddr> {
    let well = backends.iter().filter(|backend| backend.is_well);
    well.map(|backend| backend.address).collect()
}

impl BackendTable for Snapshot {
    fn pick(&self, turn: u32) -> Option<SocketAddr> {
        at(&self.well.load(), turn).copied()
    }

    fn set_health(&self, backend: u32, is_well: bool) {
        let mut backends = self.backends.lock();
        if let Some(backend) = backends.get_mut(backend as usize) {
            backend.is_well = is_well;
            self.well.store(Arc::new(well(&backends)));
        }
    }
}
