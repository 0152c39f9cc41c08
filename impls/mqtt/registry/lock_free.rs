//! Without locks: one concurrent map, from each filter and each beginning of a filter to what is there.
//!
//! A look-up walks down as in a tree, but asks the map for every beginning. A change counts the beginnings
//! up first and adds the subscriber last, or takes it away first and counts down last: so a look-up that
//! sees a subscriber sees the way to it, and a beginning goes when the last filter behind it went.
//! The list of one filter is copied when it changes: thousands of clients with the very same filter make
//! each change as dear.

use std::hash::RandomState;
use std::sync::Arc;

use super::Filter;
use super::subscribers::{Found, Subscriber, Subscribers};
use super::sync::{HashMap, HashMapRef, LocalGuard, Operation};
use crate::session::Session;

/// The map.
#[derive(Debug, Default)]
pub(super) struct LockFree {
    places: HashMap<Box<str>, Place>,
}

/// What is known of a filter, or of the beginning of others.
#[derive(Debug, Clone, Default)]
struct Place {
    /// Subscriptions to filters that are longer.
    longer: usize,
    subscribers: Arc<Subscribers>,
}

impl Place {
    fn is_unused(&self) -> bool {
        self.longer == 0 && self.subscribers.is_empty()
    }
}

type Pinned<'a> = HashMapRef<'a, Box<str>, Place, RandomState, LocalGuard<'a>>;

impl LockFree {
    /// Adds a subscription, or replaces the session's own to the same filter.
    pub(super) fn insert(&self, filter: Filter<'_>, subscriber: &Subscriber) {
        let places = self.places.pin();
        for beginning in beginnings(filter.path) {
            change(&places, beginning, |place| place.longer += 1);
        }
        let is_new = change(&places, filter.path, |place| {
            Arc::make_mut(&mut place.subscribers).insert(filter.group, subscriber.clone())
        });
        if !is_new {
            count_down(&places, filter.path);
        }
    }

    /// Takes a subscription away; false when there was none.
    pub(super) fn remove(&self, filter: Filter<'_>, session: &Arc<Session>) -> bool {
        let places = self.places.pin();
        let removed = change(&places, filter.path, |place| {
            Arc::make_mut(&mut place.subscribers).remove(filter.group, session)
        });
        if removed {
            count_down(&places, filter.path);
        }
        removed
    }

    /// Adds those who take messages of `topic`.
    pub(super) fn find(&self, topic: &str, found: &mut Found) {
        let mut key = String::with_capacity(2 * topic.len() + 2);
        let wildcards = !topic.starts_with('$');
        descend(&self.places.pin(), &mut key, Some(topic), wildcards, found);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Changes a place, which need not be there before, nor stay. The last call of `what` is the one that counts:
/// it is called again when another thread was faster.
fn change<R>(places: &Pinned<'_>, key: &str, mut what: impl FnMut(&mut Place) -> R) -> R {
    let mut result = None;
    places.compute(key.into(), |known| {
        let mut place = known.map_or_else(Place::default, |(_, place)| place.clone());
        result = Some(what(&mut place));
        match (known, place.is_unused()) {
            (_, false) => Operation::Insert(place),
            (Some(_), true) => Operation::Remove,
            (None, true) => Operation::Abort(()),
        }
    });
    result.expect("the change is tried at least once")
}

/// One filter less is behind its beginnings.
fn count_down(places: &Pinned<'_>, filter: &str) {
    for beginning in beginnings(filter) {
        change(places, beginning, |place| place.longer -= 1);
    }
}

/// All beginnings of a filter that end before a `/`.
fn beginnings(filter: &str) -> impl Iterator<Item = &str> {
    filter.match_indices('/').map(|(at, _)| &filter[..at])
}

/// Adds those whose filter begins with `key` (which is empty, or ends with `/`) and takes a name of which
/// `rest` is left.
fn descend(
    places: &Pinned<'_>,
    key: &mut String,
    rest: Option<&str>,
    wildcards: bool,
    found: &mut Found,
) {
    let length = key.len();
    if wildcards {
        key.push('#');
        if let Some(place) = places.get(key.as_str()) {
            place.subscribers.collect(found);
        }
        key.truncate(length);
    }
    let Some(rest) = rest else { return };
    let (level, below) = match rest.split_once('/') {
        Some((level, below)) => (level, Some(below)),
        None => (rest, None),
    };
    let plus = wildcards.then_some("+");
    for level in [level].into_iter().chain(plus) {
        key.push_str(level);
        if let Some(place) = places.get(key.as_str()) {
            if below.is_none() {
                place.subscribers.collect(found);
            }
            if place.longer > 0 {
                key.push('/');
                descend(places, key, below, true, found);
            }
        }
        key.truncate(length);
    }
}
