//! Memory that is bound to the node of the thread that works on it.

use std::io;

use ringside_contract::ImplementationMeta;
use ringside_metal::numa::Node;

use super::place::{Memory, Placing, Toucher};

/// `numa/local`.
pub(crate) struct Local;

static META: ImplementationMeta = ImplementationMeta {
    id: "numa/local",
    about: "Each thread binds its memory to its own node (mbind), and fills it itself.",
    axes: &[],
    ranked: true,
};

impl Placing for Local {
    const META: &'static ImplementationMeta = &META;
    const TOUCHER: Toucher = Toucher::Worker;

    fn memory(bytes: usize, node: &Node) -> io::Result<Memory> {
        Memory::bound(bytes, node)
    }
}
