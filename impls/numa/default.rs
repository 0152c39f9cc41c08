//! As programs are that know nothing of nodes: one thread fills everything, and threads everywhere work on it.

use std::io;

use ringside_contract::ImplementationMeta;
use ringside_metal::numa::Node;

use super::place::{Memory, Placing, Toucher};

/// `numa/default`.
pub(crate) struct Default;

static META: ImplementationMeta = ImplementationMeta {
    id: "numa/default",
    about: "The allocator, and one thread that fills all memory, which thus lies near that thread.",
    axes: &[],
    ranked: true,
};

impl Placing for Default {
    const META: &'static ImplementationMeta = &META;
    const TOUCHER: Toucher = Toucher::Main;
    const IS_LOCAL: bool = false;
    const LENDS: bool = true;

    fn memory(bytes: usize, _: &Node) -> io::Result<Memory> {
        Ok(Memory::allocated(bytes))
    }
}
