//! What a way to place memory consists of.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::ImplementationMeta;
use ringside_metal::numa::{Node, Pages};

/// Memory of one thread.
pub(crate) enum Memory {
    /// Of the kernel's, with a place that was asked for.
    Pages(Pages),
    /// Of the C library's allocator.
    Words(Box<[AtomicU64]>),
}

impl Memory {
    /// Of the allocator's, touched by the calling thread.
    pub(crate) fn allocated(bytes: usize) -> Self {
        Self::Words((0..bytes / 8).map(|_| AtomicU64::new(0)).collect())
    }

    /// Of the kernel's, bound to a node and touched by the calling thread.
    pub(crate) fn bound(bytes: usize, node: &Node) -> io::Result<Self> {
        let pages = Pages::new(bytes, Some(node.id))?;
        for word in pages.words() {
            word.store(0, Ordering::Relaxed);
        }
        Ok(Self::Pages(pages))
    }

    /// All of it.
    #[inline]
    pub(crate) fn words(&self) -> &[AtomicU64] {
        match self {
            Self::Pages(pages) => pages.words(),
            Self::Words(words) => words,
        }
    }
}

/// Who touches the memory of a thread first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toucher {
    /// The thread that prepares everything.
    Main,
    /// The thread that works on it.
    Worker,
}

/// A way to place memory.
pub(crate) trait Placing: Send + Sync + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// Who calls [`Self::memory`].
    const TOUCHER: Toucher;

    /// Whether memory is promised to lie on the node of the thread that works on it.
    const IS_LOCAL: bool = true;

    /// Whether it can lend buffers too.
    const LENDS: bool = false;

    /// Memory for a thread on `node`, touched.
    ///
    /// # Errors
    /// The system's answer.
    fn memory(bytes: usize, node: &Node) -> io::Result<Memory>;

    /// Where buffers come from.
    fn lender(nodes: &[Node], bytes: usize) -> Box<dyn Lender> {
        let _ = nodes;
        Box::new(Allocating(bytes))
    }
}

/// Where buffers come from and go back to.
pub(crate) trait Lender: Send + Sync {
    /// Makes ready what the calling thread needs.
    ///
    /// # Errors
    /// The system's answer.
    fn enter(&self, node: &Node) -> io::Result<()> {
        let _ = node;
        Ok(())
    }

    /// A buffer for a thread on the node of this place in the list of nodes.
    ///
    /// # Errors
    /// The system's answer.
    fn take(&self, place: usize) -> io::Result<Memory>;

    /// It is not needed any more.
    fn give(&self, place: usize, buffer: Memory);
}

/// The allocator of the C library.
pub(crate) struct Allocating(pub(crate) usize);

impl Lender for Allocating {
    fn take(&self, _: usize) -> io::Result<Memory> {
        Ok(Memory::allocated(self.0))
    }

    fn give(&self, _: usize, buffer: Memory) {
        drop(buffer);
    }
}
