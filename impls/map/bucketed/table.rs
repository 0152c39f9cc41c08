//! An array of buckets, and how its entries get into the next one.
#![expect(
    unsafe_code,
    reason = "what is shared without locks is behind pointers"
)]

use std::ptr;
use std::sync::atomic::Ordering;

use super::entries::{Entries, free, make, pairs};
use super::sync::{AtomicPtr, watch};

/// A pointer to entries, in a cache line of its own. The lowest bit, which no such pointer has, says that it is frozen.
#[repr(align(64))]
struct Bucket(AtomicPtr<u64>);

/// What a bucket holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(Entries);

/// It does not change any more: writes belong into the next table.
const FROZEN: usize = 1;

impl Word {
    pub(super) fn is_frozen(self) -> bool {
        self.0.addr() & FROZEN != 0
    }

    pub(super) fn entries(self) -> Entries {
        self.0.map_addr(|address| address & !FROZEN)
    }

    fn frozen(self) -> Entries {
        self.0.map_addr(|address| address | FROZEN)
    }
}

/// An array of buckets.
pub(super) struct Table {
    buckets: Box<[Bucket]>,
    /// The one with twice as many; null until the map grows. Set before any bucket is frozen.
    next: AtomicPtr<Table>,
}

impl Table {
    /// Empty buckets, as a power of two that is no smaller.
    pub(super) fn new(buckets: usize) -> Self {
        let bucket = |_| Bucket(AtomicPtr::new(ptr::null_mut()));
        Self {
            buckets: (0..buckets.next_power_of_two()).map(bucket).collect(),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Onto the heap, where others find it.
    pub(super) fn leak(self) -> *mut Self {
        let table = Box::into_raw(Box::new(self));
        watch::made(table);
        table
    }

    /// One that was leaked.
    ///
    /// # Safety
    /// Nobody frees it while the reference is in use.
    pub(super) unsafe fn at<'a>(table: *mut Self) -> &'a Self {
        watch::used(table);
        // SAFETY: `leak` gave it, and the caller promises the rest.
        unsafe { &*table }
    }

    /// Frees one that was leaked, and all that is in it.
    ///
    /// # Safety
    /// Nobody uses it any more, and nobody else frees it.
    pub(super) unsafe fn free(table: *mut Self) {
        watch::freed(table);
        // SAFETY: `leak` made a box of it, and the caller promises the rest.
        drop(unsafe { Box::from_raw(table) });
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }

    pub(super) fn place(&self, hash: u64) -> usize {
        // The number of buckets is a power of two.
        hash as usize & (self.buckets.len() - 1)
    }

    pub(super) fn load(&self, place: usize) -> Word {
        // Pairs with `swap`: who sees the pointer sees what it points to.
        Word(self.buckets[place].0.load(Ordering::Acquire))
    }

    /// Puts `new` in the place of `old`; false when something else is there by now.
    pub(super) fn swap(&self, place: usize, old: Word, new: Entries) -> bool {
        let bucket = &self.buckets[place].0;
        let swapped = bucket.compare_exchange(old.0, new, Ordering::AcqRel, Ordering::Relaxed);
        swapped.is_ok()
    }

    /// The next table, if the map grows or has grown.
    pub(super) fn next(&self) -> Option<&Self> {
        let next = self.next.load(Ordering::Acquire);
        // SAFETY: it is set once. Whoever holds this table has pinned before it was replaced, and so before the next one was.
        (!next.is_null()).then(|| unsafe { Self::at(next) })
    }

    /// The next table, which is made if there is none.
    pub(super) fn grown(&self) -> &Self {
        if let Some(next) = self.next() {
            return next;
        }
        let new = Self::new(self.len() * 2).leak();
        let null = ptr::null_mut();
        let set = self
            .next
            .compare_exchange(null, new, Ordering::AcqRel, Ordering::Acquire);
        match set {
            // SAFETY: as in `next`.
            Ok(_) => unsafe { Self::at(new) },
            Err(other) => {
                // SAFETY: nobody else has seen the one that came too late; the other one is as in `next`.
                unsafe {
                    Self::free(new);
                    Self::at(other)
                }
            }
        }
    }

    /// Freezes a bucket and puts its entries into `next`. Whoever comes second finds
    /// them there. `hash` tells where a key belongs.
    ///
    /// # Safety
    /// The caller has pinned.
    pub(super) unsafe fn move_into(&self, next: &Self, place: usize, hash: impl Fn(u64) -> u64) {
        let word = self.freeze(place);
        // SAFETY: the caller has pinned, and a frozen bucket keeps its entries as long as its table is there.
        let pairs = unsafe { pairs(word.entries()) };
        for target in [place, place + self.len()] {
            let belongs = |pair: &&[u64; 2]| next.place(hash(pair[0])) == target;
            let count = pairs.iter().filter(belongs).count();
            next.fill(target, || {
                make(count, pairs.iter().filter(belongs).copied())
            });
        }
    }

    fn freeze(&self, place: usize) -> Word {
        loop {
            let word = self.load(place);
            if word.is_frozen() || self.swap(place, word, word.frozen()) {
                return word;
            }
        }
    }

    /// Gives a bucket its first entries, unless somebody else has: both would copy the same.
    fn fill(&self, place: usize, make: impl FnOnce() -> Entries) {
        if !self.load(place).0.is_null() {
            return;
        }
        let entries = make();
        if !self.swap(place, Word(ptr::null_mut()), entries) {
            // SAFETY: nobody else has seen them.
            unsafe { free(entries) };
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        for bucket in &self.buckets {
            // SAFETY: nobody uses a table that is dropped, and what a bucket points to is in no other one.
            unsafe { free(Word(bucket.0.load(Ordering::Relaxed)).entries()) };
        }
    }
}

// SAFETY: all that is shared is atomic, or never changed once it is reachable.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_moved_once_and_stays_frozen() {
        let table = Table::new(2);
        let entries = make(3, [[4, 40], [6, 60], [2, 20]].into_iter());
        assert!(table.swap(0, table.load(0), entries));
        let next = table.grown();
        assert_eq!(next.len(), 4);
        assert!(ptr::eq(next, table.grown()));
        // SAFETY: no other thread is here.
        unsafe {
            table.move_into(next, 0, |key| key);
            let moved = next.load(0);
            table.move_into(next, 0, |key| key);
            assert_eq!(next.load(0), moved);
            table.move_into(next, 1, |key| key);
            assert_eq!(pairs(next.load(0).entries()), [[4, 40]]);
            assert_eq!(pairs(next.load(2).entries()), [[6, 60], [2, 20]]);
            assert_eq!(pairs(next.load(1).entries()), [[0; 2]; 0]);
        }
        assert!(table.load(0).is_frozen() && table.load(1).is_frozen());
        assert!(!next.load(0).is_frozen());
        // SAFETY: nobody else has it.
        unsafe { Table::free(ptr::from_ref(next).cast_mut()) };
    }
}
