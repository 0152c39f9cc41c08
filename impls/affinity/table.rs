//! A hash map of sessions with a limit, for whoever has a lock around it.

use std::collections::HashMap;

use super::ages::Ages;
use super::form::Form;
use crate::map::Hasher;

/// Sessions by client.
pub(super) struct Table<F: Form> {
    sessions: HashMap<F::Key, F::Session, Hasher>,
    ages: Ages<F::Key>,
}

impl<F: Form> Table<F> {
    /// An empty one that keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            sessions: HashMap::with_hasher(Hasher::default()),
            ages: Ages::new(most),
        }
    }

    /// The backend of a client that has a session, which counts as used.
    #[inline]
    pub(super) fn find(&self, key: &F::Key, now: u32) -> Option<u32> {
        let session = self.sessions.get(key)?;
        Some(F::touch(session, now))
    }

    /// The same, of a client that gets one with `choice` where it has none.
    #[inline]
    pub(super) fn find_or_add(&mut self, key: &F::Key, now: u32, choice: u32) -> u32 {
        if let Some(backend) = self.find(key, now) {
            return backend;
        }
        self.sessions
            .insert(key.clone(), F::session(key, choice, now));
        let sessions = &self.sessions;
        let used = |key: &F::Key| sessions.get(key).map(F::used);
        if let Some(gone) = self.ages.admit(key.clone(), now, used) {
            self.sessions.remove(&gone);
        }
        choice
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }
}
