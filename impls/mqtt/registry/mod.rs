//! Who wants what: read by every message and written by subscriptions. How it is kept and guarded is the
//! axis `registry`; whether threads remember what they found, the axis `cache`.

mod cache;
mod counted;
mod local;
mod lock_free;
#[cfg(all(test, ringside_loom))]
mod models;
mod sharded;
mod subscribers;
mod sync;
#[cfg(test)]
mod tests;
mod tree;

use std::sync::{Arc, PoisonError};

use ringside_wire::mqtt::topic::Shared;

use self::cache::Version;
pub(crate) use self::counted::look_up as counted_look_up;
use self::local::Local;
use self::lock_free::LockFree;
use self::sharded::Sharded;
use self::subscribers::Found;
pub(crate) use self::subscribers::{Subscriber, Wish};
use self::sync::RwLock;
use self::tree::Tree;
use crate::session::Session;

/// How subscriptions are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Guard {
    /// One tree under one lock, for many readers or one writer.
    #[default]
    ReadWriteLock,
    /// A tree of each thread's own.
    Local,
    /// Trees by the first level of the topic, each under its own lock.
    Sharded,
    /// A concurrent map.
    LockFree,
}

/// All subscriptions.
#[derive(Debug)]
pub(crate) struct Registry {
    table: Table,
    /// With the cache.
    version: Option<Version>,
}

#[derive(Debug)]
enum Table {
    ReadWriteLock(RwLock<Tree>),
    Local(Local),
    Sharded(Sharded),
    LockFree(LockFree),
}

/// What a subscription is to.
#[derive(Debug, Clone, Copy)]
struct Filter<'a> {
    /// Without the name of the group.
    path: &'a str,
    /// Who shares it.
    group: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn new(filter: &'a str, shared: Option<Shared<'a>>) -> Self {
        Self {
            path: shared.map_or(filter, |shared| shared.filter),
            group: shared.map(|shared| shared.group),
        }
    }
}

impl Registry {
    /// Without subscriptions.
    pub(crate) fn new(guard: Guard, cached: bool) -> Self {
        let table = match guard {
            Guard::ReadWriteLock => Table::ReadWriteLock(RwLock::default()),
            Guard::Local => Table::Local(Local::default()),
            Guard::Sharded => Table::Sharded(Sharded::default()),
            Guard::LockFree => Table::LockFree(LockFree::default()),
        };
        let version = cached.then(Version::default);
        Self { table, version }
    }

    /// Each thread has a table of its own.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.table, Table::Local(_))
    }

    /// Adds a subscription, or replaces the session's own to the same filter.
    pub(crate) fn insert(&self, filter: &str, shared: Option<Shared<'_>>, subscriber: Subscriber) {
        let filter = Filter::new(filter, shared);
        match &self.table {
            Table::ReadWriteLock(tree) => {
                let mut tree = tree.write().unwrap_or_else(PoisonError::into_inner);
                tree.insert(filter, subscriber);
            }
            Table::Local(local) => local.with(|tree| tree.insert(filter, subscriber)),
            Table::Sharded(sharded) => sharded.insert(filter, subscriber),
            Table::LockFree(places) => places.insert(filter, &subscriber),
        }
        self.changed();
    }

    /// Takes a subscription away; false when there was none.
    pub(crate) fn remove(
        &self,
        filter: &str,
        shared: Option<Shared<'_>>,
        session: &Arc<Session>,
    ) -> bool {
        let filter = Filter::new(filter, shared);
        let removed = match &self.table {
            Table::ReadWriteLock(tree) => {
                let mut tree = tree.write().unwrap_or_else(PoisonError::into_inner);
                tree.remove(filter, session)
            }
            Table::Local(local) => local.with(|tree| tree.remove(filter, session)),
            Table::Sharded(sharded) => sharded.remove(filter, session),
            Table::LockFree(places) => places.remove(filter, session),
        };
        self.changed();
        removed
    }

    /// Shows every subscription that takes messages of `topic`, one member of each group, those of one
    /// session beside one another.
    pub(crate) fn find<R>(&self, topic: &str, show: impl FnOnce(&[Subscriber]) -> R) -> R {
        let look_up = || self.look_up(topic).in_order();
        match &self.version {
            Some(version) => show(&version.find(topic, look_up)),
            None => show(&look_up().subscribers),
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        match &self.table {
            Table::ReadWriteLock(tree) => tree.read().expect("nobody panicked").is_empty(),
            Table::Local(local) => local.with(|tree| tree.is_empty()),
            Table::Sharded(sharded) => sharded.is_empty(),
            Table::LockFree(places) => places.is_empty(),
        }
    }

    fn look_up(&self, topic: &str) -> Found {
        let mut found = Found::default();
        match &self.table {
            Table::ReadWriteLock(tree) => {
                let tree = tree.read().unwrap_or_else(PoisonError::into_inner);
                tree.find(topic, &mut found);
            }
            Table::Local(local) => local.with(|tree| tree.find(topic, &mut found)),
            Table::Sharded(sharded) => sharded.find(topic, &mut found),
            Table::LockFree(places) => places.find(topic, &mut found),
        }
        found
    }

    fn changed(&self) {
        if let Some(version) = &self.version {
            version.advance();
        }
    }
}
