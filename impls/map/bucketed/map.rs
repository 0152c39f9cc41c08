//! Look-ups and changes, also while the map grows.
#![expect(
    unsafe_code,
    reason = "what is shared without locks is behind pointers"
)]

use std::hash::BuildHasher;
use std::ptr;
use std::sync::atomic::Ordering;

use super::entries::{Change, free, pairs, with, without};
use super::sync::{AtomicIsize, AtomicPtr, Guard, pin};
use super::table::Table;
use crate::map::work::Hasher;

/// Entries of a bucket, on average, from which on the map grows: a look-up reads two on average then, which lie side by
/// side, and buckets are few enough for the caches.
const FULL: usize = 4;
/// The fewest buckets.
const BUCKETS_MIN: usize = 4;

/// The map.
pub(super) struct Map {
    root: AtomicPtr<Table>,
    entries: Counter,
    hasher: Hasher,
}

/// A hint of when to grow. Below zero for a moment when a key is removed before it was counted. In cache lines of its own:
/// what readers load would have to come back from each writer otherwise.
#[repr(align(128))]
struct Counter(AtomicIsize);

impl Map {
    /// With room for so many entries before it grows.
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self::with_buckets((entries / FULL + 1).max(BUCKETS_MIN))
    }

    pub(super) fn with_buckets(buckets: usize) -> Self {
        Self {
            root: AtomicPtr::new(Table::new(buckets).leak()),
            entries: Counter(AtomicIsize::new(0)),
            hasher: Hasher::default(),
        }
    }

    fn hash(&self, key: u64) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The table that holds all entries that are not on their way to a next one.
    pub(super) fn root<'g>(&self, _pinned: &'g Guard) -> &'g Table {
        // SAFETY: the root is never null, and one that was replaced is freed once no guard of then is left.
        unsafe { Table::at(self.root.load(Ordering::Acquire)) }
    }

    /// The value of a key. A loop only while the map grows, once for each table that it grew by meanwhile.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<u64> {
        let (guard, hash) = (pin(), self.hash(key));
        let mut table = self.root(&guard);
        loop {
            let word = table.load(table.place(hash));
            if word.is_frozen()
                && let Some(next) = table.next()
                && !next.load(next.place(hash)).entries().is_null()
            {
                table = next;
                continue;
            }
            // A frozen bucket says what it said until its copy is there.
            // SAFETY: what a bucket pointed to after pinning is not freed before the guard is gone.
            let pairs = unsafe { pairs(word.entries()) };
            return pairs.iter().find(|pair| pair[0] == key).map(|pair| pair[1]);
        }
    }

    /// Sets the value of a key; gives the one before.
    pub(super) fn insert(&self, key: u64, value: u64) -> Option<u64> {
        let guard = pin();
        let before = self.change(&guard, key, |pairs| Some(with(pairs, key, value)));
        if before.is_none() {
            let entries = self.entries.0.fetch_add(1, Ordering::Relaxed) + 1;
            let root = self.root(&guard);
            // No slice has more elements than an `isize` counts.
            if entries > (FULL * root.len()) as isize {
                self.grow(&guard, root);
            }
        }
        before
    }

    /// Removes a key; gives its value.
    pub(super) fn remove(&self, key: u64) -> Option<u64> {
        let guard = pin();
        let before = self.change(&guard, key, |pairs| without(pairs, key))?;
        self.entries.0.fetch_sub(1, Ordering::Relaxed);
        Some(before)
    }

    /// Puts what `change` makes of the entries of the key's bucket in their place; nothing when it makes none of them.
    fn change(
        &self,
        guard: &Guard,
        key: u64,
        change: impl Fn(&[[u64; 2]]) -> Option<Change>,
    ) -> Option<u64> {
        let hash = self.hash(key);
        let mut table = self.root(guard);
        loop {
            let place = table.place(hash);
            let word = table.load(place);
            if word.is_frozen() {
                let next = table.grown();
                self.move_bucket(table, next, place);
                table = next;
                continue;
            }
            // SAFETY: as in `get`.
            let Change { entries, before } = change(unsafe { pairs(word.entries()) })?;
            if table.swap(place, word, entries) {
                let old = Sent(word.entries());
                // SAFETY: who pins from now on finds the new ones, and only who replaced the old ones frees them.
                unsafe { guard.defer_unchecked(move || free(old.get())) };
                return before;
            }
            // SAFETY: nobody else has seen them.
            unsafe { free(entries) };
        }
    }

    /// Moves every bucket of `table`, and those that somebody else has begun with; then the next table takes its place. A
    /// table grows only while it is the root, so that of several that come here one puts the next one there.
    pub(super) fn grow(&self, guard: &Guard, table: &Table) {
        let next = table.grown();
        for place in 0..table.len() {
            self.move_bucket(table, next, place);
        }
        let (old, new) = (
            ptr::from_ref(table).cast_mut(),
            ptr::from_ref(next).cast_mut(),
        );
        let replaced = self
            .root
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed);
        if replaced.is_ok() {
            let old = Sent(old);
            // SAFETY: who pins from now on finds the new root, and only who replaced the old one frees it.
            unsafe { guard.defer_unchecked(move || Table::free(old.get())) };
            // A table is large, and this thread may have nothing else to free for long.
            guard.flush();
        }
    }

    /// Both tables were reached with a guard that is still there.
    fn move_bucket(&self, table: &Table, next: &Table, place: usize) {
        // SAFETY: the caller has pinned.
        unsafe { table.move_into(next, place, |key| self.hash(key)) };
    }
}

/// A pointer that another thread frees.
struct Sent<T>(*mut T);

impl<T> Sent<T> {
    /// A method, so that a closure takes the whole and not the pointer in it.
    fn get(self) -> *mut T {
        self.0
    }
}

// SAFETY: what it points to is owned by whoever has it, and has nothing of a thread.
unsafe impl<T> Send for Sent<T> {}

impl Drop for Map {
    fn drop(&mut self) {
        let mut table = self.root.load(Ordering::Relaxed);
        while !table.is_null() {
            // SAFETY: nobody else has the map, so that each table is there until it is freed here.
            unsafe {
                let next = Table::at(table).next();
                let next = next.map_or(ptr::null_mut(), |next| ptr::from_ref(next).cast_mut());
                Table::free(table);
                table = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// The first thread stops where a writer may be stopped at any time: it has pinned, made the next table, and moved
    /// some of the buckets.
    #[test]
    fn a_writer_that_stops_while_the_map_grows_keeps_nobody_from_reading_and_writing() {
        let map = Map::with_capacity(0);
        let count = (BUCKETS_MIN * FULL) as u64;
        (0..count).for_each(|key| assert_eq!(map.insert(key, key), None));
        let guard = pin();
        let (root, stopped) = (map.root(&guard), map.root(&guard).grown());
        for place in [0, 2] {
            map.move_bucket(root, stopped, place);
        }
        thread::scope(|scope| {
            scope.spawn(|| {
                for key in 0..count {
                    assert_eq!(map.get(key), Some(key));
                    assert_eq!(map.insert(key, key + 100), Some(key));
                    assert_eq!(map.get(key), Some(key + 100));
                }
                // The first new one is one too many, so that this thread ends what the other one began.
                for key in count..count * 20 {
                    assert_eq!(map.insert(key, key + 100), None);
                }
                for key in 0..count * 20 {
                    assert_eq!(map.remove(key), Some(key + 100));
                    assert_eq!(map.get(key), None);
                }
            });
        });
        assert!(!ptr::eq(map.root(&guard), root));
        // It goes on where it stopped, in a table that nobody uses any more.
        map.grow(&guard, root);
        (0..count).for_each(|key| assert_eq!(map.get(key), None));
    }
}
