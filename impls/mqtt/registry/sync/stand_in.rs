//! A concurrent map in place of papaya's, whose steps loom cannot see, with as much of its contract as
//! `lock_free.rs` builds on: one key is read or exchanged in one step, what is read was published by a release,
//! and keys have no order among each other.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use loom::sync::atomic::{AtomicUsize, Ordering};

/// Keys that a model uses, those that it only asks for included.
const KEYS_MAX: usize = 16;

#[derive(Debug)]
pub(crate) struct HashMap<K, V> {
    /// For each key the number of its value in `stored`, and 0 for none.
    values: [AtomicUsize; KEYS_MAX],
    /// Of the standard library: it costs no step and gives no order.
    stored: Mutex<Stored<K, V>>,
}

#[derive(Debug)]
struct Stored<K, V> {
    keys: Vec<K>,
    /// All that were there at any time.
    values: Vec<Arc<V>>,
}

/// What becomes of a value.
pub(crate) enum Operation<V, T> {
    Insert(V),
    Remove,
    Abort(T),
}

pub(crate) struct LocalGuard<'a>(PhantomData<&'a ()>);

pub(crate) struct HashMapRef<'a, K, V, S, G> {
    map: &'a HashMap<K, V>,
    like: PhantomData<(S, G)>,
}

impl<K, V> Default for HashMap<K, V> {
    fn default() -> Self {
        let stored = Stored {
            keys: Vec::new(),
            values: Vec::new(),
        };
        Self {
            values: std::array::from_fn(|_| AtomicUsize::new(0)),
            stored: Mutex::new(stored),
        }
    }
}

impl<K, V> HashMap<K, V> {
    pub(crate) fn pin<S, G>(&self) -> HashMapRef<'_, K, V, S, G> {
        HashMapRef {
            map: self,
            like: PhantomData,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let mut values = self.values.iter();
        values.all(|value| value.load(Ordering::Acquire) == 0)
    }

    fn stored<R>(&self, look: impl FnOnce(&mut Stored<K, V>) -> R) -> R {
        look(&mut self.stored.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn value_of<Q>(&self, key: &Q) -> &AtomicUsize
    where
        K: Borrow<Q> + for<'a> From<&'a Q>,
        Q: Eq + ?Sized,
    {
        let at = self.stored(|stored| {
            let known = stored.keys.iter().position(|known| known.borrow() == key);
            known.unwrap_or_else(|| {
                stored.keys.push(key.into());
                stored.keys.len() - 1
            })
        });
        &self.values[at]
    }

    fn numbered(&self, number: usize) -> Option<Arc<V>> {
        self.stored(|stored| Some(Arc::clone(&stored.values[number.checked_sub(1)?])))
    }

    fn store(&self, value: V) -> usize {
        self.stored(|stored| {
            stored.values.push(Arc::new(value));
            stored.values.len()
        })
    }
}

impl<V, S, G> HashMapRef<'_, Box<str>, V, S, G> {
    pub(crate) fn get(&self, key: &str) -> Option<Arc<V>> {
        let number = self.map.value_of(key).load(Ordering::Acquire);
        self.map.numbered(number)
    }

    #[expect(clippy::needless_pass_by_value, reason = "as papaya has it")]
    pub(crate) fn compute<T>(
        &self,
        key: Box<str>,
        mut what: impl FnMut(Option<(&Box<str>, &V)>) -> Operation<V, T>,
    ) {
        let value = self.map.value_of(&*key);
        let mut known = value.load(Ordering::Acquire);
        loop {
            let new = match what(
                self.map
                    .numbered(known)
                    .as_deref()
                    .map(|value| (&key, value)),
            ) {
                Operation::Insert(value) => self.map.store(value),
                Operation::Remove => 0,
                Operation::Abort(_) => return,
            };
            match value.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(other) => known = other,
            }
        }
    }
}
