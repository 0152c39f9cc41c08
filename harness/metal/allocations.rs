//! Counts what each thread takes from the allocator: the system's own, with three additions to numbers of the thread
//! beside each call, which take about a nanosecond.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with a count. A program takes it as its `#[global_allocator]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator;

/// What a thread has taken so far, and given back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allocations {
    /// Calls that took memory, or more of it.
    pub calls: u64,
    /// Bytes asked for, without what the allocator adds for itself.
    pub bytes: u64,
    /// Bytes given back, whichever thread had taken them.
    pub freed_bytes: u64,
}

impl Allocations {
    /// What was taken since an earlier reading of the same thread.
    pub const fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls.wrapping_sub(before.calls),
            bytes: self.bytes.wrapping_sub(before.bytes),
            freed_bytes: self.freed_bytes.wrapping_sub(before.freed_bytes),
        }
    }

    /// Bytes that were taken and not given back.
    pub const fn held_bytes(self) -> u64 {
        self.bytes.saturating_sub(self.freed_bytes)
    }
}

/// What the calling thread has taken so far; `None` where this program counts nothing.
pub fn thread_allocations() -> Option<Allocations> {
    let read = |counts: &Counts| Allocations {
        calls: counts.calls.get(),
        bytes: counts.bytes.get(),
        freed_bytes: counts.freed_bytes.get(),
    };
    // Whoever asks may not have taken anything yet: so it does now.
    drop(std::hint::black_box(Box::new(0_u64)));
    let read = COUNTS.try_with(read).ok()?;
    (read.calls > 0).then_some(read)
}

/// Of one thread.
struct Counts {
    calls: Cell<u64>,
    bytes: Cell<u64>,
    freed_bytes: Cell<u64>,
}

thread_local! {
    // Made at compile time and never dropped, so that it can be used at any moment of a thread's life.
    static COUNTS: Counts = const {
        Counts {
            calls: Cell::new(0),
            bytes: Cell::new(0),
            freed_bytes: Cell::new(0),
        }
    };
}

#[inline]
fn count(taken: usize, freed: usize) {
    let add = |cell: &Cell<u64>, more: usize| cell.set(cell.get().wrapping_add(more as u64));
    // It fails only where a thread has no such numbers any more, and then nobody asks for them.
    let _ = COUNTS.try_with(|counts| {
        add(&counts.calls, usize::from(taken > 0));
        add(&counts.bytes, taken);
        add(&counts.freed_bytes, freed);
    });
}

// SAFETY: every call goes to the system's allocator as it came, and what that gives is given on. Counting takes no memory
// and does not panic.
unsafe impl GlobalAlloc for CountingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promises are those that the system's allocator asks for, and it gave this place.
        unsafe { System.dealloc(place, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promises are those that the system's allocator asks for, and it gave this place.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_sees_what_it_took_and_no_other_does() {
        let before = COUNTS.with(|counts| counts.calls.get());
        let layout = Layout::new::<[u64; 8]>();
        let reading = || {
            let read = |counts: &Counts| {
                [&counts.calls, &counts.bytes, &counts.freed_bytes].map(Cell::get)
            };
            COUNTS.with(read)
        };
        // SAFETY: the layout has a size, and each place is given back as it was taken.
        unsafe {
            let place = CountingAllocator.alloc(layout);
            assert!(!place.is_null());
            let place = CountingAllocator.realloc(place, layout, 128);
            assert!(!place.is_null());
            let grown = Layout::from_size_align(128, layout.align()).unwrap();
            CountingAllocator.dealloc(place, grown);
        }
        assert_eq!(reading(), [before + 2, 64 + 128, 64 + 128]);
        let elsewhere = std::thread::spawn(move || reading()[0]).join().unwrap();
        assert_eq!(elsewhere, 0, "tests have the usual allocator");
    }

    #[test]
    fn what_is_held_is_what_was_not_given_back() {
        let of = |calls, bytes, freed_bytes| Allocations {
            calls,
            bytes,
            freed_bytes,
        };
        let taken = of(5, 700, 200).since(of(2, 100, 100));
        assert_eq!(taken, of(3, 600, 100));
        assert_eq!(taken.held_bytes(), 500);
    }
}
