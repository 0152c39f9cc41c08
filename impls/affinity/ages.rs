//! Which session ends when a table is full: the one that came first of those that nobody has used since they were looked
//! at last. It is the second chance of Corbató's paging experiment (1968), with a time in place of a mark, so that who
//! finds its session writes hardly more than that time.

use std::collections::VecDeque;

/// Sessions in the order in which they were looked at, each with the time at which it had been used then.
pub(super) struct Ages<K> {
    most: usize,
    order: VecDeque<(K, u32)>,
}

impl<K> Ages<K> {
    /// Of a table that keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            order: VecDeque::new(),
        }
    }

    /// Takes note of a new session, and says which one has to end for it. `used` tells when one was used last.
    pub(super) fn admit(
        &mut self,
        key: K,
        now: u32,
        used: impl Fn(&K) -> Option<u32>,
    ) -> Option<K> {
        self.order.push_back((key, now));
        if self.order.len() <= self.most {
            return None;
        }
        // One turn at most, behind which all are known to be in use: a long one makes up for many short ones before it.
        for _ in 0..self.order.len() {
            let (key, looked) = self.order.pop_front()?;
            match used(&key) {
                Some(used) if used != looked => self.order.push_back((key, used)),
                _ => return Some(key),
            }
        }
        self.order.pop_front().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_not_used_since_goes_first() {
        let mut ages = Ages::new(2);
        assert_eq!(ages.admit('a', 1, |_| None), None);
        assert_eq!(ages.admit('b', 2, |_| None), None);
        let used = |key: &char| Some(if *key == 'a' { 5 } else { 2 });
        assert_eq!(ages.admit('c', 6, used), Some('b'), "a was used at 5");
        let used = |key: &char| Some(if *key == 'a' { 5 } else { 6 });
        assert_eq!(
            ages.admit('d', 7, used),
            Some('c'),
            "c was not used since 6, and stands before a"
        );
    }

    #[test]
    fn one_goes_even_where_all_are_used() {
        let (mut ages, time) = (Ages::new(3), std::cell::Cell::new(10));
        let used = |_: &u32| {
            time.set(time.get() + 1);
            Some(time.get())
        };
        let gone: Vec<_> = (0..5).filter_map(|key| ages.admit(key, 0, used)).collect();
        assert_eq!(gone.len(), 2);
        assert_eq!(ages.order.len(), 3);
    }
}
