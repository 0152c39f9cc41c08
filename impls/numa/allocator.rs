//! The usual allocator, in threads whose memory the system takes from their own node.

use std::io;

use ringside_contract::ImplementationMeta;
use ringside_metal::numa::{Node, prefer};

use super::place::{Allocating, Lender, Memory, Placing, Toucher};

/// `numa/allocator`.
pub(crate) struct Allocator;

static META: ImplementationMeta = ImplementationMeta {
    id: "numa/allocator",
    about: "The allocator, in threads that prefer memory of their own node (set_mempolicy) and fill theirs themselves.",
    axes: &[],
    ranked: true,
};

impl Placing for Allocator {
    const META: &'static ImplementationMeta = &META;
    const TOUCHER: Toucher = Toucher::Worker;
    const LENDS: bool = true;

    fn memory(bytes: usize, node: &Node) -> io::Result<Memory> {
        prefer(Some(node.id))?;
        Ok(Memory::allocated(bytes))
    }

    fn lender(_: &[Node], bytes: usize) -> Box<dyn Lender> {
        Box::new(Preferring(Allocating(bytes)))
    }
}

/// The allocator, once a thread has said where from.
struct Preferring(Allocating);

impl Lender for Preferring {
    fn enter(&self, node: &Node) -> io::Result<()> {
        prefer(Some(node.id))
    }

    fn take(&self, place: usize) -> io::Result<Memory> {
        self.0.take(place)
    }

    fn give(&self, place: usize, buffer: Memory) {
        self.0.give(place, buffer);
    }
}
