//! DashMap, which document 002 means by a session table without locks: it is one of shards with locks.

use dashmap::Entry;
use parking_lot::Mutex;
use ringside_contract::ImplementationMeta;

use super::ages::Ages;
use super::form::Form;
use super::work::{COMPACT, NamedTable, Sessions};
use crate::map::{Hasher, SHARDS};

/// `affinity/dashmap`.
pub(crate) struct DashMap;

static META: ImplementationMeta = ImplementationMeta {
    id: "affinity/dashmap",
    about: "The crate dashmap with 64 shards; a new session is noted in a queue behind a lock.",
    axes: &[COMPACT],
    ranked: true,
};

/// Sessions, and the order in which they go.
pub(crate) struct Dashed<F: Form> {
    sessions: dashmap::DashMap<F::Key, F::Session, Hasher>,
    ages: Mutex<Ages<F::Key>>,
}

impl NamedTable for DashMap {
    const META: &'static ImplementationMeta = &META;
    type Of<F: Form> = Dashed<F>;
}

impl<F: Form> Sessions<F> for Dashed<F> {
    fn new(most: usize) -> Self {
        Self {
            sessions: dashmap::DashMap::with_capacity_and_hasher_and_shard_amount(
                0,
                Hasher::default(),
                SHARDS,
            ),
            ages: Mutex::new(Ages::new(most)),
        }
    }

    #[inline]
    fn backend(&self, key: &F::Key, now: u32, choice: u32) -> u32 {
        if let Some(session) = self.sessions.get(key) {
            return F::touch(&session, now);
        }
        self.add(key, now, choice)
    }

    fn len(&self) -> usize {
        self.sessions.len()
    }
}

impl<F: Form> Dashed<F> {
    fn add(&self, key: &F::Key, now: u32, choice: u32) -> u32 {
        // The entry holds its shard's lock: it has to be gone before others are looked at.
        match self.sessions.entry(key.clone()) {
            Entry::Occupied(found) => return F::touch(found.get(), now),
            Entry::Vacant(place) => drop(place.insert(F::session(key, choice, now))),
        }
        let used = |key: &F::Key| self.sessions.get(key).map(|session| F::used(&session));
        let gone = self.ages.lock().admit(key.clone(), now, used);
        if let Some(gone) = gone {
            self.sessions.remove(&gone);
        }
        choice
    }
}
