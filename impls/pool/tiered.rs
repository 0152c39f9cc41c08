//! A queue without locks for each of four sizes, filled and touched before anything is asked for: what document 001
//! describes, with the counts of its example.

use crossbeam_queue::ArrayQueue;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::pool::BufferHandle;

use super::buffers::{BufferPool, NamedBuffers};
use super::tiers::{TIERS, tier_of_capacity, tier_of_size};

/// `pool/tiered`.
pub(crate) struct Tiered {
    tiers: [ArrayQueue<Vec<u8>>; TIERS.len()],
}

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/tiered",
    about: "10,000 buffers of 1 KiB, 5,000 of 8 KiB, 1,000 of 64 KiB and 100 of 1 MiB in queues without locks, each page touched \
            before the first is asked for, as the document has it.",
    axes: &[],
    ranked: true,
};

impl NamedBuffers for Tiered {
    const META: &'static ImplementationMeta = &META;
}

impl BufferPool for Tiered {
    type Handle<'a> = &'a Self;

    const IS_PREHEATED: bool = true;

    fn new() -> Self {
        Self {
            tiers: TIERS.map(|tier| {
                let queue = ArrayQueue::new(tier.count);
                for _ in 0..tier.count {
                    let mut buffer = Vec::with_capacity(tier.size);
                    // So the kernel gives every page now.
                    buffer.resize(tier.size, 1);
                    buffer.clear();
                    // There is room for all.
                    let _ = queue.push(buffer);
                }
                queue
            }),
        }
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl BufferHandle for &Tiered {
    #[inline]
    fn take(&mut self, size: usize) -> (Vec<u8>, bool) {
        let Some(tier) = tier_of_size(size) else {
            return (Vec::with_capacity(size), false);
        };
        match self.tiers[tier].pop() {
            Some(buffer) => (buffer, true),
            None => (Vec::with_capacity(TIERS[tier].size), false),
        }
    }

    #[inline]
    fn put(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        if let Some(tier) = tier_of_capacity(buffer.capacity()) {
            // What finds no room is freed.
            let _ = self.tiers[tier].push(buffer);
        }
    }
}
