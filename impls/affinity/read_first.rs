//! The same lock, taken for writing only where a client has no session: what document 002 asks for first.

use ringside_contract::ImplementationMeta;

use super::form::Form;
use super::table::Table;
use super::work::{COMPACT, NamedTable, Sessions};

/// `affinity/read_first`.
pub(crate) struct ReadFirst;

static META: ImplementationMeta = ImplementationMeta {
    id: "affinity/read_first",
    about: "A hash map behind one parking_lot::RwLock that is taken for writing only where a client has no session.",
    axes: &[COMPACT],
    ranked: true,
};

/// Sessions behind the lock.
pub(crate) struct Locked<F: Form>(parking_lot::RwLock<Table<F>>);

impl NamedTable for ReadFirst {
    const META: &'static ImplementationMeta = &META;
    type Of<F: Form> = Locked<F>;
}

impl<F: Form> Sessions<F> for Locked<F> {
    fn new(most: usize) -> Self {
        Self(parking_lot::RwLock::new(Table::new(most)))
    }

    #[inline]
    fn backend(&self, key: &F::Key, now: u32, choice: u32) -> u32 {
        let found = self.0.read().find(key, now);
        // Another thread may have been first by now, which `find_or_add` sees.
        found.unwrap_or_else(|| self.0.write().find_or_add(key, now, choice))
    }

    fn len(&self) -> usize {
        self.0.read().len()
    }
}
