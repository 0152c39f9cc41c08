//! papaya: a table without locks for whoever has a session.

use parking_lot::Mutex;
use ringside_contract::ImplementationMeta;

use super::ages::Ages;
use super::form::Form;
use super::work::{COMPACT, NamedTable, Sessions};
use crate::map::Hasher;

/// `affinity/papaya`.
pub(crate) struct Papaya;

static META: ImplementationMeta = ImplementationMeta {
    id: "affinity/papaya",
    about: "The crate papaya: who has a session takes no lock; a new one is noted in a queue behind a lock.",
    axes: &[COMPACT],
    ranked: true,
};

/// Sessions, and the order in which they go.
pub(crate) struct Lockless<F: Form> {
    sessions: papaya::HashMap<F::Key, F::Session, Hasher>,
    ages: Mutex<Ages<F::Key>>,
}

impl NamedTable for Papaya {
    const META: &'static ImplementationMeta = &META;
    type Of<F: Form> = Lockless<F>;
}

impl<F: Form> Sessions<F> for Lockless<F> {
    fn new(most: usize) -> Self {
        Self {
            sessions: papaya::HashMap::with_hasher(Hasher::default()),
            ages: Mutex::new(Ages::new(most)),
        }
    }

    #[inline]
    fn backend(&self, key: &F::Key, now: u32, choice: u32) -> u32 {
        let guard = self.sessions.guard();
        if let Some(session) = self.sessions.get(key, &guard) {
            return F::touch(session, now);
        }
        let session = F::session(key, choice, now);
        if let Err(found) = self.sessions.try_insert(key.clone(), session, &guard) {
            return F::touch(found.current, now);
        }
        let used = |key: &F::Key| self.sessions.get(key, &guard).map(F::used);
        let gone = self.ages.lock().admit(key.clone(), now, used);
        if let Some(gone) = gone {
            self.sessions.remove(&gone, &guard);
        }
        choice
    }

    fn len(&self) -> usize {
        self.sessions.len()
    }
}
