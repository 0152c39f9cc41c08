//! Who wants what: a tree of topic levels (MQTT 5.0, 4.7), read by every message and written by
//! subscriptions.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ringside_wire::mqtt::QualityOfService;
use ringside_wire::mqtt::topic::Shared;

use crate::session::Session;

/// What a subscription asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) quality: QualityOfService,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    /// Subscription identifier; 0 for none.
    pub(crate) identifier: u32,
}

/// One session's subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscriber {
    pub(crate) session: Arc<Session>,
    pub(crate) wish: Wish,
}

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    root: RwLock<Node>,
}

/// One level. `+` and `#` are levels like any other here; only a look-up treats them apart.
#[derive(Debug, Default)]
struct Node {
    below: HashMap<Box<str>, Node>,
    subscribers: Vec<Subscriber>,
    groups: Vec<Group>,
}

/// Those who share a subscription: each message goes to one of them, in turn.
#[derive(Debug)]
struct Group {
    name: Box<str>,
    members: Vec<Subscriber>,
    turn: std::sync::atomic::AtomicUsize,
}

impl Registry {
    /// Adds a subscription, or replaces the session's one to the same filter when it is not new: many
    /// clients may have the same filter, and they are not searched for each one that comes.
    pub(crate) fn insert(
        &self,
        filter: &str,
        shared: Option<Shared<'_>>,
        subscriber: Subscriber,
        is_new: bool,
    ) {
        let mut root = self.root.write().unwrap_or_else(PoisonError::into_inner);
        let levels = shared.map_or(filter, |shared| shared.filter).split('/');
        let node = levels.fold(&mut *root, |node, level| {
            if !node.below.contains_key(level) {
                node.below.insert(level.into(), Node::default());
            }
            node.below.get_mut(level).expect("it was inserted just now")
        });
        let list = match shared {
            None => &mut node.subscribers,
            Some(shared) => node.group(shared.group),
        };
        let same = |known: &&mut Subscriber| Arc::ptr_eq(&known.session, &subscriber.session);
        let known = if is_new {
            None
        } else {
            list.iter_mut().find(same)
        };
        match known {
            Some(known) => known.wish = subscriber.wish,
            None => list.push(subscriber),
        }
    }

    /// Takes a subscription away; false when there was none. Levels that nobody uses any more go too.
    pub(crate) fn remove(
        &self,
        filter: &str,
        shared: Option<Shared<'_>>,
        session: &Arc<Session>,
    ) -> bool {
        let mut root = self.root.write().unwrap_or_else(PoisonError::into_inner);
        let mut levels = shared.map_or(filter, |shared| shared.filter).split('/');
        root.remove(&mut levels, shared.map(|shared| shared.group), session)
    }

    /// Shows every subscription that takes messages of `topic`, one member of each group; `several` when
    /// a session may be among them more than once.
    pub(crate) fn find(&self, topic: &str, found: &mut Vec<Subscriber>) -> bool {
        let root = self.root.read().unwrap_or_else(PoisonError::into_inner);
        let mut nodes = 0;
        // Names that begin with `$` are the server's: wildcards on the first level leave them alone.
        root.find(Some(topic), !topic.starts_with('$'), &mut |node| {
            nodes += usize::from(!node.subscribers.is_empty()) + node.groups.len();
            found.extend_from_slice(&node.subscribers);
            found.extend(node.groups.iter().filter_map(Group::next));
        });
        nodes > 1
    }
}

impl Node {
    fn group(&mut self, name: &str) -> &mut Vec<Subscriber> {
        let at = self.groups.iter().position(|group| *group.name == *name);
        let at = at.unwrap_or_else(|| {
            self.groups.push(Group {
                name: name.into(),
                members: Vec::new(),
                turn: Default::default(),
            });
            self.groups.len() - 1
        });
        &mut self.groups[at].members
    }

    fn remove<'a>(
        &mut self,
        levels: &mut impl Iterator<Item = &'a str>,
        group: Option<&str>,
        session: &Arc<Session>,
    ) -> bool {
        if let Some(level) = levels.next() {
            let Some(node) = self.below.get_mut(level) else {
                return false;
            };
            let removed = node.remove(levels, group, session);
            if removed && node.is_unused() {
                self.below.remove(level);
            }
            return removed;
        }
        let list = match group {
            None => &mut self.subscribers,
            Some(name) => self.group(name),
        };
        let before = list.len();
        list.retain(|known| !Arc::ptr_eq(&known.session, session));
        let removed = list.len() < before;
        self.groups.retain(|group| !group.members.is_empty());
        removed
    }

    fn is_unused(&self) -> bool {
        self.below.is_empty() && self.subscribers.is_empty() && self.groups.is_empty()
    }

    /// Shows each node whose filter takes a name of which `rest` is left.
    fn find(&self, rest: Option<&str>, wildcards: bool, show: &mut impl FnMut(&Self)) {
        if wildcards && let Some(node) = self.below.get("#") {
            show(node);
        }
        let Some(rest) = rest else {
            return show(self);
        };
        let (level, below) = match rest.split_once('/') {
            Some((level, below)) => (level, Some(below)),
            None => (rest, None),
        };
        if let Some(node) = self.below.get(level) {
            node.find(below, true, show);
        }
        if wildcards && let Some(node) = self.below.get("+") {
            node.find(below, true, show);
        }
    }
}

impl Group {
    /// The member whose turn it is: who is connected comes first (MQTT 5.0, 4.8.2).
    fn next(&self) -> Option<Subscriber> {
        // Relaxed: the number alone matters.
        let turn = self.turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let count = self.members.len();
        let member = |index: usize| &self.members[(turn + index) % count];
        let online = (0..count)
            .map(member)
            .find(|member| member.session.is_online());
        online.or_else(|| self.members.first()).cloned()
    }
}
