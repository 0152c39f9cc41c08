//! A pool for each node, of memory that is bound to it.

use std::io;
use std::sync::{Mutex, PoisonError};

use ringside_contract::ImplementationMeta;
use ringside_metal::numa::Node;

use super::place::{Lender, Memory, Placing, Toucher};

/// `numa/pool`.
pub(crate) struct Pool;

static META: ImplementationMeta = ImplementationMeta {
    id: "numa/pool",
    about: "A pool for each node, of buffers that are bound to it and used again; each behind a lock.",
    axes: &[],
    ranked: true,
};

impl Placing for Pool {
    const META: &'static ImplementationMeta = &META;
    const TOUCHER: Toucher = Toucher::Main;
    const LENDS: bool = true;

    fn memory(bytes: usize, node: &Node) -> io::Result<Memory> {
        let pools = Pools::new(std::slice::from_ref(node), bytes);
        pools.take(0)
    }

    fn lender(nodes: &[Node], bytes: usize) -> Box<dyn Lender> {
        Box::new(Pools::new(nodes, bytes))
    }
}

/// A pool for each node.
struct Pools {
    nodes: Vec<(Node, Mutex<Vec<Memory>>)>,
    bytes: usize,
}

/// Buffers that a pool keeps; what comes back beyond these goes to the system.
const KEPT_MAX: usize = 1024;

impl Pools {
    fn new(nodes: &[Node], bytes: usize) -> Self {
        let empty = |node: &Node| (node.clone(), Mutex::default());
        Self {
            nodes: nodes.iter().map(empty).collect(),
            bytes,
        }
    }
}

impl Lender for Pools {
    fn take(&self, place: usize) -> io::Result<Memory> {
        let (node, free) = &self.nodes[place % self.nodes.len()];
        let kept = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.map_or_else(|| Memory::bound(self.bytes, node), Ok)
    }

    fn give(&self, place: usize, buffer: Memory) {
        let (_, free) = &self.nodes[place % self.nodes.len()];
        let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT_MAX {
            free.push(buffer);
        }
    }
}
