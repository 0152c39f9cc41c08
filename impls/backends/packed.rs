//! What is asked for with every request side by side, and nothing else: a bit for each backend that is well, in one word,
//! and the addresses.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::backends::{BACKENDS_MAX, BackendTable};

use super::work::{NamedBackends, all_well};

/// `backends/packed`.
pub(crate) struct Packed {
    well: AtomicU64,
    addresses: Box<[SocketAddr]>,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "backends/packed",
    about: "A bit for each backend that is well, in one atomic word, beside the row of addresses.",
    axes: &[],
    ranked: true,
};

impl NamedBackends for Packed {
    const META: &'static ImplementationMeta = &META;

    fn new(backends: u32) -> Self {
        let count = backends.clamp(1, BACKENDS_MAX);
        Self {
            well: AtomicU64::new(u64::MAX >> (BACKENDS_MAX - count)),
            addresses: all_well(count).map(|backend| backend.address).collect(),
        }
    }
}

impl BackendTable for Packed {
    #[inline]
    fn pick(&self, turn: u32) -> Option<SocketAddr> {
        // Acquire and Release: who was told by another thread that a bit has changed finds it changed.
        let mut well = self.well.load(Ordering::Acquire);
        // The place among those that are well; a division by nothing is none.
        for _ in 0..turn.checked_rem(well.count_ones())? {
            well &= well - 1;
        }
        self.addresses.get(well.trailing_zeros() as usize).copied()
    }

    fn set_health(&self, backend: u32, is_well: bool) {
        if backend as usize >= self.addresses.len() {
            return;
        }
        let bit = 1 << backend;
        if is_well {
            self.well.fetch_or(bit, Ordering::AcqRel);
        } else {
            self.well.fetch_and(!bit, Ordering::AcqRel);
        }
    }
}
