//! A hash map behind a lock of many readers that every request takes for writing, as document 002 has it to begin with.
//! There it is an async lock; this one is none, so that what is compared is the way and not the lock.

use ringside_contract::ImplementationMeta;

use super::form::Form;
use super::table::Table;
use super::work::{COMPACT, NamedTable, Sessions};

/// `affinity/rwlock`.
pub(crate) struct RwLock;

static META: ImplementationMeta = ImplementationMeta {
    id: "affinity/rwlock",
    about: "A hash map behind one parking_lot::RwLock that every request takes for writing, as the document does.",
    axes: &[COMPACT],
    ranked: true,
};

/// Sessions behind the lock.
pub(crate) struct Locked<F: Form>(parking_lot::RwLock<Table<F>>);

impl NamedTable for RwLock {
    const META: &'static ImplementationMeta = &META;
    type Of<F: Form> = Locked<F>;
}

impl<F: Form> Sessions<F> for Locked<F> {
    fn new(most: usize) -> Self {
        Self(parking_lot::RwLock::new(Table::new(most)))
    }

    #[inline]
    fn backend(&self, key: &F::Key, now: u32, choice: u32) -> u32 {
        self.0.write().find_or_add(key, now, choice)
    }

    fn len(&self) -> usize {
        self.0.read().len()
    }
}
