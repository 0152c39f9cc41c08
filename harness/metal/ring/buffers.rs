//! The ring of buffers that the kernel receives into.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::Rc;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::setup::RingError;

/// The one group of buffers that a ring has.
pub(super) const GROUP: u16 = 0;

/// Buffers start at different lines of a page. Were they all page-aligned, the first line of each,
/// the only one that a small message touches, would compete for the same 8 or 12 ways of the
/// processor's first-level cache.
const STAGGER: usize = 64;

/// Received bytes, in a buffer that goes back to the kernel when this value is dropped.
pub struct ProvidedBuffer {
    pool: Rc<BufferPool>,
    index: u16,
    length: u32,
}

impl Deref for ProvidedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the buffer lies within the pool's mapping, which the Rc keeps alive; the kernel
        // wrote `length` bytes of it (the rest of the mapping is zeroed, so initialised as well) and
        // gave it up until `drop` returns it.
        unsafe { slice::from_raw_parts(self.pool.address(self.index), self.length as usize) }
    }
}

impl Drop for ProvidedBuffer {
    fn drop(&mut self) {
        self.pool.give(self.index);
    }
}

impl fmt::Debug for ProvidedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvidedBuffer")
            .field("index", &self.index)
            .field("length", &self.length)
            .finish()
    }
}

/// Memory for `count` buffers and the ring of entries through which they are handed to the kernel.
pub(super) struct BufferPool {
    entries: Mapping,
    memory: Mapping,
    count: u16,
    size: u32,
    stride: usize,
    tail: Cell<u16>,
    given: Cell<u16>,
}

impl BufferPool {
    /// Maps the memory, registers the ring of entries and hands every buffer to the kernel.
    pub(super) fn register(ring: &IoUring, count: u16, size: u32) -> Result<Rc<Self>, RingError> {
        let register = |what| move |source| RingError::Register { what, source };
        let stride = (size as usize).next_multiple_of(STAGGER) + STAGGER;
        let entry = size_of::<BufRingEntry>();
        let pool = Self {
            entries: Mapping::new(usize::from(count) * entry).map_err(register("buffers"))?,
            memory: Mapping::new(usize::from(count) * stride).map_err(register("buffers"))?,
            count,
            size,
            stride,
            tail: Cell::new(0),
            given: Cell::new(0),
        };
        let address = pool.entries.start.as_ptr() as u64;
        // SAFETY: the entries are page-aligned, zeroed memory for `count` of them. The ring keeps the
        // pool until everything in flight has ended, and leaks it when that cannot be awaited.
        unsafe {
            ring.submitter()
                .register_buf_ring_with_flags(address, count, GROUP, 0)
        }
        .map_err(register("a ring of receive buffers (needs Linux 5.19)"))?;
        for index in 0..count {
            pool.give(index);
        }
        Ok(Rc::new(pool))
    }

    /// The buffer that a completion names.
    pub(super) fn take(self: &Rc<Self>, index: u16, length: u32) -> ProvidedBuffer {
        assert!(
            index < self.count && length <= self.size,
            "the kernel names a buffer of this pool"
        );
        self.given.set(self.given.get() - 1);
        ProvidedBuffer {
            pool: Rc::clone(self),
            index,
            length,
        }
    }

    /// Buffers that the kernel has.
    pub(super) fn available(&self) -> u16 {
        self.given.get()
    }

    fn address(&self, index: u16) -> *mut u8 {
        // SAFETY: `index` is below `count`, so the result lies within the mapping.
        unsafe {
            self.memory
                .start
                .as_ptr()
                .add(usize::from(index) * self.stride)
        }
    }

    /// Hands a buffer to the kernel.
    fn give(&self, index: u16) {
        let entries = self.entries.start.as_ptr().cast::<BufRingEntry>();
        let tail = self.tail.get();
        // SAFETY: the mask keeps the entry within the ring of `count` entries (a power of two, which
        // the kernel checked). The kernel does not read it before the tail moves, and never has more
        // than `count` buffers, so the entry is free.
        let entry = unsafe { &mut *entries.add(usize::from(tail & (self.count - 1))) };
        entry.set_addr(self.address(index) as u64);
        entry.set_len(self.size);
        entry.set_bid(index);
        self.tail.set(tail.wrapping_add(1));
        self.given.set(self.given.get() + 1);
        // SAFETY: the tail lies in the reserved field of the first entry and is read by the kernel
        // only, so an atomic there has no other owner.
        let shared = unsafe { &*BufRingEntry::tail(entries).cast::<AtomicU16>() };
        // Release: the kernel, which reads the tail with acquire, must see the entry complete.
        shared.store(tail.wrapping_add(1), Ordering::Release);
    }
}

/// Private anonymous pages, zeroed.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    fn new(length: usize) -> std::io::Result<Self> {
        // SAFETY: a fresh private mapping at an address of the kernel's choice aliases nothing.
        let start = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?
        };
        let start = NonNull::new(start.cast()).ok_or(rustix::io::Errno::NOMEM)?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made by `new` with this length; the last owner of the pool is gone, so nothing
        // points into it. An error would only mean that the pages stay.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}
