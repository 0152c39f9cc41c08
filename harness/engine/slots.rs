//! The connections of one loop: a vector with a list of free places. A key holds the place and a
//! generation, so that an event for a connection that is gone never reaches its successor.

/// Values at places that are used again.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Puts a value at a free place and gives its key, which is below `2^63`.
    pub(crate) fn insert(&mut self, value: T) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry {
                generation: 0,
                value: None,
            });
            // Descriptors are 31-bit numbers, so connections are fewer than places.
            (self.entries.len() - 1) as u32
        });
        let entry = &mut self.entries[index as usize];
        entry.value = Some(value);
        key(index, entry.generation)
    }

    #[inline]
    pub(crate) fn value_mut(&mut self, key: u64) -> Option<&mut T> {
        let entry = self.entries.get_mut(key as u32 as usize)?;
        if entry.generation == (key >> 32) as u32 {
            entry.value.as_mut()
        } else {
            None
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<T> {
        self.value_mut(key)?;
        let entry = &mut self.entries[key as u32 as usize];
        entry.generation = (entry.generation + 1) & GENERATIONS;
        self.free.push(key as u32);
        entry.value.take()
    }

    /// The key of the value at place `index`, if there is one. For walks over all places.
    pub(crate) fn key_at(&self, index: usize) -> Option<u64> {
        let entry = &self.entries[index];
        entry
            .value
            .as_ref()
            .map(|_| key(index as u32, entry.generation))
    }

    /// How many places there are, used or free.
    pub(crate) fn places(&self) -> usize {
        self.entries.len()
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

/// The highest bit stays free, for the tokens of listeners and signals.
const GENERATIONS: u32 = u32::MAX >> 1;

const fn key(index: u32, generation: u32) -> u64 {
    (generation as u64) << 32 | index as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_does_not_reach_the_successor() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!((slots.places(), slots.len()), (1, 1));
        assert_eq!(slots.value_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.value_mut(second), Some(&mut "second"));
        assert_eq!(slots.key_at(0), Some(second));
    }
}
