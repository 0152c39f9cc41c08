//! A tree of topic levels (MQTT 5.0, 4.7), for one writer or many readers at a time.

use std::collections::HashMap;
use std::sync::Arc;

use super::Filter;
use super::subscribers::{Found, Subscriber, Subscribers};
use crate::session::Session;

/// One level, and those below it. `+` and `#` are levels like any other here; only a look-up treats them
/// apart.
#[derive(Debug, Default)]
pub(super) struct Tree {
    below: HashMap<Box<str>, Tree>,
    subscribers: Subscribers,
}

impl Tree {
    /// Adds a subscription, or replaces the session's own to the same filter.
    pub(super) fn insert(&mut self, filter: Filter<'_>, subscriber: Subscriber) {
        let node = filter.path.split('/').fold(self, |node, level| {
            if !node.below.contains_key(level) {
                node.below.insert(level.into(), Self::default());
            }
            node.below.get_mut(level).expect("it was inserted just now")
        });
        node.subscribers.insert(filter.group, subscriber);
    }

    /// Takes a subscription away; false when there was none. Levels that nobody uses any more go too.
    pub(super) fn remove(&mut self, filter: Filter<'_>, session: &Arc<Session>) -> bool {
        self.remove_below(&mut filter.path.split('/'), filter.group, session)
    }

    fn remove_below<'a>(
        &mut self,
        levels: &mut impl Iterator<Item = &'a str>,
        group: Option<&str>,
        session: &Arc<Session>,
    ) -> bool {
        let Some(level) = levels.next() else {
            return self.subscribers.remove(group, session);
        };
        let Some(node) = self.below.get_mut(level) else {
            return false;
        };
        let removed = node.remove_below(levels, group, session);
        if removed && node.is_unused() {
            self.below.remove(level);
        }
        removed
    }

    fn is_unused(&self) -> bool {
        self.below.is_empty() && self.subscribers.is_empty()
    }

    /// True when nobody has a filter.
    pub(super) fn is_empty(&self) -> bool {
        self.below.is_empty()
    }

    /// Adds those who take messages of `topic`.
    pub(super) fn find(&self, topic: &str, found: &mut Found) {
        // Names that begin with `$` are the server's: wildcards on the first level leave them alone.
        self.find_below(Some(topic), !topic.starts_with('$'), found);
    }

    /// Adds those whose filter takes a name of which `rest` is left.
    fn find_below(&self, rest: Option<&str>, wildcards: bool, found: &mut Found) {
        if wildcards && let Some(node) = self.below.get("#") {
            node.subscribers.collect(found);
        }
        let Some(rest) = rest else {
            return self.subscribers.collect(found);
        };
        let (level, below) = match rest.split_once('/') {
            Some((level, below)) => (level, Some(below)),
            None => (rest, None),
        };
        if let Some(node) = self.below.get(level) {
            node.find_below(below, true, found);
        }
        if wildcards && let Some(node) = self.below.get("+") {
            node.find_below(below, true, found);
        }
    }
}
