//! The entries of one bucket, made once and never changed: their number, and a key and a value each.
#![expect(
    unsafe_code,
    reason = "what is shared without locks is behind pointers"
)]

use std::ptr;

use super::sync::watch;

/// A pointer to entries that owns nothing; null where there are none.
pub(super) type Entries = *mut u64;

/// A bucket that was moved and has no entry: not null, which says that it was not moved yet. Nobody writes to it.
static NONE: [u64; 1] = [0];

/// The pointer to [`NONE`].
pub(super) fn none() -> Entries {
    ptr::from_ref(&NONE).cast_mut().cast()
}

/// All pairs of key and value.
///
/// # Safety
/// `entries` is null or of [`make`], and nobody frees it while the slice is in use.
pub(super) unsafe fn pairs<'a>(entries: Entries) -> &'a [[u64; 2]] {
    if entries.is_null() {
        return &[];
    }
    if entries != none() {
        watch::used(entries);
    }
    // SAFETY: the first word is how many pairs stand behind it, as `make` wrote it before anybody saw the pointer. Two
    // words have the alignment of one.
    unsafe {
        let count = entries.read() as usize;
        std::slice::from_raw_parts(entries.add(1).cast::<[u64; 2]>(), count)
    }
}

/// Entries of these pairs, `count` of them.
pub(super) fn make(count: usize, pairs: impl Iterator<Item = [u64; 2]>) -> Entries {
    if count == 0 {
        return none();
    }
    let mut words = Vec::with_capacity(1 + 2 * count);
    words.push(count as u64);
    words.extend(pairs.flatten());
    // As many as were allocated, so that nothing is copied.
    let entries = Box::into_raw(words.into_boxed_slice()).cast();
    watch::made(entries);
    entries
}

/// Frees them.
///
/// # Safety
/// `entries` is null or of [`make`], nobody uses it any more, and nobody else frees it.
pub(super) unsafe fn free(entries: Entries) {
    if entries.is_null() || entries == none() {
        return;
    }
    watch::freed(entries);
    // SAFETY: `make` leaked a box of so many words.
    unsafe {
        let words = 1 + 2 * entries.read() as usize;
        drop(Box::from_raw(ptr::slice_from_raw_parts_mut(entries, words)));
    }
}

/// What a write makes of entries: the new ones, and the value of the key before.
pub(super) struct Change {
    pub(super) entries: Entries,
    pub(super) before: Option<u64>,
}

/// Another value of a key.
pub(super) fn with(pairs: &[[u64; 2]], key: u64, value: u64) -> Change {
    let count = pairs.len();
    match pairs.iter().position(|pair| pair[0] == key) {
        Some(place) => {
            let (left, right) = (&pairs[..place], &pairs[place + 1..]);
            let all = left.iter().copied().chain([[key, value]]);
            Change {
                entries: make(count, all.chain(right.iter().copied())),
                before: Some(pairs[place][1]),
            }
        }
        None => Change {
            entries: make(count + 1, pairs.iter().copied().chain([[key, value]])),
            before: None,
        },
    }
}

/// Without a key; `None` when it is not there.
pub(super) fn without(pairs: &[[u64; 2]], key: u64) -> Option<Change> {
    let place = pairs.iter().position(|pair| pair[0] == key)?;
    let (left, right) = (&pairs[..place], &pairs[place + 1..]);
    Some(Change {
        entries: make(pairs.len() - 1, left.iter().chain(right).copied()),
        before: Some(pairs[place][1]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a change made, which is freed.
    fn seen(change: &Change) -> (Vec<[u64; 2]>, Option<u64>) {
        // SAFETY: nobody else has the entries.
        unsafe {
            let all = pairs(change.entries).to_vec();
            free(change.entries);
            (all, change.before)
        }
    }

    #[test]
    fn a_change_keeps_the_other_entries_in_their_order() {
        let all = [[1, 10], [2, 20], [3, 30]];
        let changed = seen(&with(&all, 2, 21));
        assert_eq!(changed, (vec![[1, 10], [2, 21], [3, 30]], Some(20)));
        let added = seen(&with(&all, 4, 40));
        assert_eq!(added, (vec![[1, 10], [2, 20], [3, 30], [4, 40]], None));
        let removed = seen(&without(&all, 1).unwrap());
        assert_eq!(removed, (vec![[2, 20], [3, 30]], Some(10)));
        assert!(without(&all, 4).is_none());
        let last = without(&[[1, 10]], 1).unwrap();
        assert_eq!(last.entries, none());
        assert_eq!(seen(&last), (vec![], Some(10)));
    }
}
