//! Those who have one filter, alone or in groups that share it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use indexmap::IndexMap;
use ringside_wire::mqtt::QualityOfService;

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

/// By the place of the session in memory, which is its own as long as it is here.
type BySession = IndexMap<usize, Subscriber>;

/// The subscriptions to one filter.
#[derive(Debug, Clone, Default)]
pub(super) struct Subscribers {
    alone: BySession,
    groups: Vec<Group>,
}

/// Those who share a subscription: each message goes to one of them, in turn.
#[derive(Debug, Clone)]
struct Group {
    name: Box<str>,
    members: BySession,
    /// Copies of the list go on where the others are.
    turn: Arc<AtomicUsize>,
}

impl Subscribers {
    /// Adds a subscription or replaces the session's own. True when it is new.
    pub(super) fn insert(&mut self, group: Option<&str>, subscriber: Subscriber) -> bool {
        let key = key(&subscriber.session);
        let list = match group {
            None => &mut self.alone,
            Some(name) => self.group(name),
        };
        list.insert(key, subscriber).is_none()
    }

    /// Takes a subscription away; false when there was none.
    pub(super) fn remove(&mut self, group: Option<&str>, session: &Arc<Session>) -> bool {
        let Some(name) = group else {
            return self.alone.swap_remove(&key(session)).is_some();
        };
        let removed = self.group(name).swap_remove(&key(session)).is_some();
        self.groups.retain(|group| !group.members.is_empty());
        removed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alone.is_empty() && self.groups.is_empty()
    }

    /// Adds everybody who is to have a message, one member of each group.
    pub(super) fn collect(&self, found: &mut Found) {
        let lists = usize::from(!self.alone.is_empty()) + self.groups.len();
        found.filters += lists;
        found.takes_turns |= !self.groups.is_empty();
        found.subscribers.extend(self.alone.values().cloned());
        let members = self.groups.iter().filter_map(Group::next);
        found.subscribers.extend(members);
    }

    fn group(&mut self, name: &str) -> &mut BySession {
        let at = self.groups.iter().position(|group| *group.name == *name);
        let at = at.unwrap_or_else(|| {
            self.groups.push(Group {
                name: name.into(),
                members: IndexMap::new(),
                turn: Arc::default(),
            });
            self.groups.len() - 1
        });
        &mut self.groups[at].members
    }
}

impl Group {
    /// The member whose turn it is: who is connected comes first (MQTT 5.0, 4.8.2).
    fn next(&self) -> Option<Subscriber> {
        // Relaxed: the number alone matters.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.members.len();
        let member = |index: usize| &self.members[(turn.wrapping_add(index)) % count];
        let online = (0..count)
            .map(member)
            .find(|member| member.session.is_online());
        online.or_else(|| self.members.values().next()).cloned()
    }
}

fn key(session: &Arc<Session>) -> usize {
    Arc::as_ptr(session).addr()
}

/// Who is to have a message.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) subscribers: Vec<Subscriber>,
    /// Filters and groups that they are from.
    filters: usize,
    /// Another message of the topic may go to others.
    pub(super) takes_turns: bool,
}

impl Found {
    /// The subscriptions of one session lie together.
    pub(super) fn in_order(mut self) -> Self {
        // Within one filter a session stands once.
        if self.filters > 1 {
            self.subscribers
                .sort_by_key(|subscriber| key(&subscriber.session));
        }
        self
    }
}
