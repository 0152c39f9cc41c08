//! Trees by the first level of a topic, each under a lock of its own, so that those who subscribe hold up
//! few of those who publish.

use std::hash::BuildHasher;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Filter;
use super::subscribers::{Found, Subscriber};
use super::sync::{AtomicBool, RwLock};
use super::tree::Tree;
use crate::session::Session;

/// Four for each core of a machine of sixteen.
const SHARDS: usize = 64;

/// The trees.
#[derive(Debug)]
pub(super) struct Sharded {
    shards: Box<[RwLock<Tree>]>,
    /// Filters whose first level is a wildcard, which belong to every first level.
    anywhere: RwLock<Tree>,
    /// There are such.
    has_anywhere: AtomicBool,
    hasher: std::hash::RandomState,
}

impl Default for Sharded {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            anywhere: RwLock::default(),
            has_anywhere: AtomicBool::new(false),
            hasher: std::hash::RandomState::new(),
        }
    }
}

impl Sharded {
    /// Adds a subscription, or replaces the session's own to the same filter.
    pub(super) fn insert(&self, filter: Filter<'_>, subscriber: Subscriber) {
        self.change(filter, |tree| tree.insert(filter, subscriber));
    }

    /// Takes a subscription away; false when there was none.
    pub(super) fn remove(&self, filter: Filter<'_>, session: &Arc<Session>) -> bool {
        self.change(filter, |tree| tree.remove(filter, session))
    }

    /// Adds those who take messages of `topic`.
    pub(super) fn find(&self, topic: &str, found: &mut Found) {
        let find = |shard: &RwLock<Tree>, found: &mut Found| {
            let tree = shard.read().unwrap_or_else(PoisonError::into_inner);
            tree.find(topic, found);
        };
        find(self.shard(topic), found);
        // Acquire, with the release below: who subscribed before is seen.
        if self.has_anywhere.load(Ordering::Acquire) {
            find(&self.anywhere, found);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let mut trees = self.shards.iter().chain([&self.anywhere]);
        trees.all(|tree| tree.read().expect("nobody panicked").is_empty())
    }

    fn change<R>(&self, filter: Filter<'_>, change: impl FnOnce(&mut Tree) -> R) -> R {
        let anywhere = filter.path.starts_with(['+', '#']);
        let shard = if anywhere {
            &self.anywhere
        } else {
            self.shard(filter.path)
        };
        let mut tree = shard.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut tree);
        if anywhere {
            // Under the lock, so that the last change of the tree is the last of this.
            self.has_anywhere.store(!tree.is_empty(), Ordering::Release);
        }
        result
    }

    fn shard(&self, topic: &str) -> &RwLock<Tree> {
        let first = topic.split('/').next();
        // Modulo a number far below the largest: every shard is as likely.
        &self.shards[self.hasher.hash_one(first) as usize % SHARDS]
    }
}
