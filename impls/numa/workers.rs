//! Work that goes to where its memory lies, instead of memory that lies where the work is.

use std::io;

use ringside_contract::ImplementationMeta;
use ringside_metal::numa::Node;

use super::place::{Memory, Placing, Toucher};

/// `numa/workers`.
pub(crate) struct Workers;

static META: ImplementationMeta = ImplementationMeta {
    id: "numa/workers",
    about: "One thread lays memory out over all nodes; each part of it is worked on by threads of its node alone. Handing the \
            work on is not a part of what is timed.",
    axes: &[],
    ranked: true,
};

impl Placing for Workers {
    const META: &'static ImplementationMeta = &META;
    const TOUCHER: Toucher = Toucher::Main;

    fn memory(bytes: usize, node: &Node) -> io::Result<Memory> {
        Memory::bound(bytes, node)
    }
}
