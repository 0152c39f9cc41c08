//! No pool: the allocator is asked for each buffer.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::pool::BufferHandle;

use super::buffers::{BufferPool, NamedBuffers};

/// `pool/allocator`.
pub(crate) struct Allocator;

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/allocator",
    about: "The allocator of the C library for each buffer.",
    axes: &[],
    ranked: true,
};

impl NamedBuffers for Allocator {
    const META: &'static ImplementationMeta = &META;
}

impl BufferPool for Allocator {
    type Handle<'a> = &'a Self;

    fn new() -> Self {
        Self
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl BufferHandle for &Allocator {
    #[inline]
    fn take(&mut self, size: usize) -> (Vec<u8>, bool) {
        (Vec::with_capacity(size), false)
    }

    #[inline]
    fn put(&mut self, buffer: Vec<u8>) {
        drop(buffer);
    }
}
