//! What all connections share: sessions by client, subscriptions, each topic's last message, and what is
//! due at some time.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ringside_contract::Counters;
use ringside_engine::Millis;
use ringside_wire::mqtt::packet::Wanted;
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::topic::{self, NotShared};

use crate::memory::Store;
use crate::message::{Message, Routed};
use crate::registry::{Registry, Subscriber, Wish};
use crate::session::{Attach, Session};
use crate::settings::BrokerSettings;
use crate::spawned;

/// The state of one broker.
#[derive(Debug)]
pub(crate) struct Broker {
    registry: Registry,
    /// Memory of connections.
    pub(crate) store: Store,
    /// A thread gives each subscriber its message.
    spawn: bool,
    sessions: Mutex<HashSet<ByClient>>,
    retained: RwLock<HashMap<Box<str>, Arc<Message>>>,
    due: Mutex<Vec<Due>>,
    /// When the first of `due` is; the largest number for none.
    next_due: AtomicU64,
    numbers: AtomicU64,
    /// Messages that sessions did not get which are over by now.
    dropped: AtomicU64,
}

/// A session that is found by the name of its client, which is kept once.
#[derive(Debug)]
struct ByClient(Arc<Session>);

impl Borrow<str> for ByClient {
    fn borrow(&self) -> &str {
        &self.0.client
    }
}

impl Hash for ByClient {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.client.hash(state);
    }
}

impl PartialEq for ByClient {
    fn eq(&self, other: &Self) -> bool {
        self.0.client == other.0.client
    }
}

impl Eq for ByClient {}

#[derive(Debug)]
struct Due {
    at: Millis,
    what: What,
}

/// What happens when a client has been away for long enough, since it lost a certain connection: one that came
/// back and went again is away anew.
#[derive(Debug)]
enum What {
    EndSession {
        session: Arc<Session>,
        since: u64,
    },
    PublishWill {
        session: Arc<Session>,
        since: u64,
        will: Will,
    },
}

/// What is published when a client is lost.
#[derive(Debug)]
pub(crate) struct Will {
    pub(crate) message: Arc<Message>,
    pub(crate) retain: bool,
    pub(crate) delay_s: u32,
}

impl Broker {
    /// Without sessions.
    pub(crate) fn new(settings: &BrokerSettings) -> Arc<Self> {
        Arc::new(Self {
            registry: Registry::new(settings.guard, settings.cached),
            store: Store::new(settings.memory, settings.preallocate),
            spawn: settings.spawn,
            sessions: Mutex::new(HashSet::with_capacity(settings.preallocate)),
            retained: RwLock::default(),
            due: Mutex::default(),
            next_due: AtomicU64::new(Millis::MAX),
            numbers: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Its subscriptions belong to the thread that made them.
    pub(crate) fn is_of_one_thread(&self) -> bool {
        self.registry.is_local()
    }

    /// What it counts: sessions and kept messages, and messages that were dropped since their client did not
    /// take them.
    pub(crate) fn counters(&self) -> Counters {
        let sessions = self.sessions();
        let dropped: u64 = sessions.iter().map(|known| known.0.state().dropped()).sum();
        let retained = self.retained.read().unwrap_or_else(PoisonError::into_inner);
        [
            ("sessions", sessions.len() as u64),
            ("retained", retained.len() as u64),
            ("dropped", dropped + self.dropped.load(Ordering::Relaxed)),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into()
    }

    /// A number that no other connection has.
    pub(crate) fn number(&self) -> u64 {
        // Relaxed: numbers need only differ.
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The session of a client for a new connection, and whether it was there before. A connection that
    /// had it is told (MQTT 5.0, 3.1.4).
    pub(crate) fn attach(
        &self,
        client: &str,
        clean_start: bool,
        attach: Attach,
        now: Millis,
    ) -> (Arc<Session>, bool) {
        let mut sessions = self.sessions();
        let known = sessions.get(client).map(|known| Arc::clone(&known.0));
        match known {
            // One that ends with its connection ends now.
            Some(session) if !clean_start && session.state().expiry_s > 0 => {
                session.attach(attach, now);
                (session, true)
            }
            known => {
                let session = Session::new(client, attach);
                sessions.replace(ByClient(Arc::clone(&session)));
                drop(sessions);
                if let Some(known) = known {
                    self.forget(&known);
                    known.evict();
                }
                (session, false)
            }
        }
    }

    /// The connection `owner` is gone, with its will if it did not say goodbye.
    pub(crate) fn detach(
        &self,
        session: &Arc<Session>,
        owner: u64,
        will: Option<Will>,
        now: Millis,
    ) {
        let expiry_s = session.state().expiry_s;
        let own = session.detach(owner);
        match will {
            // A session that goes on elsewhere, or ends, does not wait (MQTT 5.0, 3.1.3.2.2).
            Some(will) if will.delay_s == 0 || expiry_s == 0 || !own => {
                self.publish_will(&will, now);
            }
            Some(will) => {
                let at = now + 1000 * Millis::from(will.delay_s.min(expiry_s));
                let session = Arc::clone(session);
                let since = owner;
                self.plan(
                    at,
                    What::PublishWill {
                        session,
                        since,
                        will,
                    },
                );
            }
            None => {}
        }
        if !own {
            return;
        }
        match expiry_s {
            0 => self.end(session, owner),
            // Never.
            u32::MAX => {}
            seconds => {
                let at = now + 1000 * Millis::from(seconds);
                let (session, since) = (Arc::clone(session), owner);
                self.plan(at, What::EndSession { session, since });
            }
        }
    }

    /// A session is over, unless its client came back since it lost the connection `since`.
    fn end(&self, session: &Arc<Session>, since: u64) {
        // Who comes back does so under this lock.
        let mut sessions = self.sessions();
        if !session.is_away_since(since) {
            return;
        }
        let client = &*session.client;
        if sessions
            .get(client)
            .is_some_and(|known| Arc::ptr_eq(&known.0, session))
        {
            sessions.remove(client);
        }
        drop(sessions);
        self.forget(session);
    }

    /// Takes the subscriptions of a session away.
    fn forget(&self, session: &Arc<Session>) {
        let mut state = session.state();
        let filters = state.take_filters();
        // Relaxed: the number alone matters.
        self.dropped.fetch_add(state.dropped(), Ordering::Relaxed);
        drop(state);
        for filter in filters {
            let shared = topic::shared(&filter).unwrap_or_default();
            self.registry.remove(&filter, shared, session);
        }
    }

    fn publish_will(&self, will: &Will, now: Millis) {
        if will.retain {
            self.retain(&will.message);
        }
        let properties = will.message.properties(&[], now);
        self.route(
            &mut will.message.routed(&properties, now),
            will.retain,
            None,
        );
    }

    /// Gives a message to all who want it. False when nobody does. `from` published it.
    pub(crate) fn route(
        &self,
        routed: &mut Routed<'_>,
        retain: bool,
        from: Option<&Arc<Session>>,
    ) -> bool {
        self.registry.find(routed.topic, |found| {
            let same = |a: &Subscriber, b: &Subscriber| Arc::ptr_eq(&a.session, &b.session);
            let sessions = found.chunk_by(same);
            let own = |matches: &[Subscriber]| {
                from.is_some_and(|from| Arc::ptr_eq(from, &matches[0].session))
            };
            if self.spawn {
                return spawned::for_each(sessions, |matches| {
                    let mut routed = routed.again();
                    deliver(&mut routed, retain, own(matches), matches)
                });
            }
            let mut wanted = false;
            for matches in sessions {
                wanted |= deliver(routed, retain, own(matches), matches);
            }
            wanted
        })
    }

    /// Keeps the last message of a topic; an empty one deletes it (MQTT 5.0, 3.3.1.3).
    pub(crate) fn retain(&self, message: &Arc<Message>) {
        let mut retained = self
            .retained
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if message.payload.is_empty() {
            retained.remove(&message.topic);
        } else {
            retained.insert(message.topic.clone(), Arc::clone(message));
        }
    }

    /// Subscribes, and gives the client what is kept. The code is for its SUBACK.
    pub(crate) fn subscribe(
        &self,
        session: &Arc<Session>,
        wanted: &Wanted<'_>,
        identifier: u32,
        now: Millis,
    ) -> Reason {
        let shared = match topic::shared(wanted.filter) {
            Ok(shared) if topic::is_filter(wanted.filter) => shared,
            Ok(_) | Err(NotShared) => return Reason::TOPIC_FILTER_INVALID,
        };
        let wish = Wish {
            quality: wanted.quality,
            no_local: wanted.no_local,
            retain_as_published: wanted.retain_as_published,
            identifier,
        };
        let subscriber = Subscriber {
            session: Arc::clone(session),
            wish,
        };
        let is_new = session.state().filters().insert(wanted.filter.into());
        self.registry.insert(wanted.filter, shared, subscriber);
        let wants_kept = match wanted.retain_handling {
            0 => true,
            1 => is_new,
            _ => false,
        };
        if wants_kept && shared.is_none() {
            self.give_retained(session, wanted.filter, wish, now);
        }
        Reason(wanted.quality as u8)
    }

    fn give_retained(&self, session: &Arc<Session>, filter: &str, wish: Wish, now: Millis) {
        let retained = self.retained.read().unwrap_or_else(PoisonError::into_inner);
        let found: Vec<_> = if topic::is_name(filter) {
            retained.get(filter).cloned().into_iter().collect()
        } else {
            let matching = retained
                .values()
                .filter(|message| topic::matches(filter, &message.topic));
            matching.cloned().collect()
        };
        drop(retained);
        for message in found.iter().filter(|message| message.is_current(now)) {
            let properties = message.properties(&[], now);
            let quality = message.quality.min(wish.quality);
            let matched = Some(wish.identifier).filter(|&identifier| identifier > 0);
            let mut routed = message.routed(&properties, now);
            session.deliver(&mut routed, quality, true, matched.as_slice());
        }
    }

    /// Takes a subscription away. The code is for the UNSUBACK.
    pub(crate) fn unsubscribe(&self, session: &Arc<Session>, filter: &str) -> Reason {
        let Ok(shared) = topic::shared(filter) else {
            return Reason::TOPIC_FILTER_INVALID;
        };
        if !session.state().filters().remove(filter) {
            return Reason::NO_SUBSCRIPTION_EXISTED;
        }
        self.registry.remove(filter, shared, session);
        Reason::SUCCESS
    }

    fn plan(&self, at: Millis, what: What) {
        let mut due = self.due();
        due.push(Due { at, what });
        self.next_due.fetch_min(at, Ordering::Relaxed);
    }

    /// Does what is due. Called often, and mostly nothing is.
    pub(crate) fn keep_time(&self, now: Millis) {
        if now < self.next_due.load(Ordering::Relaxed) {
            return;
        }
        let mut due = self.due();
        let (over, later) = mem::take(&mut *due)
            .into_iter()
            .partition::<Vec<_>, _>(|due| due.at <= now);
        let next = later.iter().map(|due| due.at).min().unwrap_or(Millis::MAX);
        *due = later;
        self.next_due.store(next, Ordering::Relaxed);
        drop(due);
        for Due { what, .. } in over {
            match what {
                What::EndSession { session, since } => self.end(&session, since),
                What::PublishWill {
                    session,
                    since,
                    will,
                } => {
                    if session.is_away_since(since) {
                        self.publish_will(&will, now);
                    }
                }
            }
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashSet<ByClient>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> MutexGuard<'_, Vec<Due>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a message to one session, once, at the highest quality of what it matched (MQTT 5.0, 3.3.4). False
/// when the session published it itself and did not want it back.
fn deliver(routed: &mut Routed<'_>, retain: bool, own: bool, matches: &[Subscriber]) -> bool {
    let session = &matches[0].session;
    if let [Subscriber { wish, .. }] = matches
        && !own
        && wish.identifier == 0
    {
        let quality = wish.quality.min(routed.quality);
        session.deliver(routed, quality, retain && wish.retain_as_published, &[]);
        return true;
    }
    let wishes = || {
        let wishes = matches.iter().map(|subscriber| subscriber.wish);
        wishes.filter(|wish| !(own && wish.no_local))
    };
    let Some(highest) = wishes().map(|wish| wish.quality).max() else {
        return false;
    };
    let quality = highest.min(routed.quality);
    let retain = retain && wishes().any(|wish| wish.retain_as_published);
    let identifiers = wishes().map(|wish| wish.identifier);
    let identifiers: Vec<_> = identifiers.filter(|&identifier| identifier > 0).collect();
    session.deliver(routed, quality, retain, &identifiers);
    true
}

#[cfg(test)]
mod tests;
