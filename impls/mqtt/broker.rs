//! What all connections share: sessions by client, subscriptions, each topic's last message, and what is
//! due at some time.

mod kept;
mod restored;

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::mem;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringside_contract::{Counters, StartError};
use ringside_engine::Millis;
use ringside_wire::mqtt::packet::Wanted;
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::topic::{self, NotShared};

use self::kept::Kept;
use crate::journal::{Change, Wall};
use crate::memory::Store;
use crate::message::{Message, Routed};
use crate::registry::{Registry, Subscriber, Wish};
use crate::retained::Retained;
use crate::session::{Absence, Attach, Session};
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
    retained: Retained,
    due: Mutex<Vec<Due>>,
    /// When the first of `due` is; the largest number for none.
    next_due: AtomicU64,
    numbers: AtomicU64,
    /// The time when it last looked.
    now: AtomicU64,
    /// Messages that sessions did not get which are over by now.
    dropped: AtomicU64,
    /// With `persistence=file`.
    kept: Option<Kept>,
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

/// What happens when a client has been away for long enough, unless it came back in between.
#[derive(Debug)]
enum What {
    EndSession(Absence),
    PublishWill { absence: Absence, will: Arc<Will> },
}

/// What is published when a client is lost.
#[derive(Debug)]
pub(crate) struct Will {
    /// The number of the connection that left it.
    pub(crate) connection: u64,
    pub(crate) client: Box<str>,
    pub(crate) message: Arc<Message>,
    pub(crate) retain: bool,
    pub(crate) delay_s: u32,
}

impl Broker {
    /// With what an earlier broker kept in the folder `state`, if it is to keep anything; otherwise without
    /// sessions. Its clock begins `now`.
    ///
    /// # Errors
    /// A journal that cannot be read or written.
    pub(crate) fn open(
        settings: &BrokerSettings,
        state: Option<&Path>,
        now: Wall,
    ) -> Result<Arc<Self>, StartError> {
        let mut broker = Self::new(settings);
        if settings.persistent {
            broker.restore(state, now)?;
        }
        Ok(Arc::new(broker))
    }

    fn new(settings: &BrokerSettings) -> Self {
        Self {
            registry: Registry::new(settings.guard, settings.cached),
            store: Store::new(settings.memory, settings.preallocate),
            spawn: settings.spawn,
            sessions: Mutex::new(HashSet::with_capacity(settings.preallocate)),
            retained: Retained::default(),
            due: Mutex::default(),
            next_due: AtomicU64::new(Millis::MAX),
            numbers: AtomicU64::new(0),
            now: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            kept: None,
        }
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
        let counts = [
            ("sessions", sessions.len() as u64),
            ("retained", self.retained.len() as u64),
            ("dropped", dropped + self.dropped.load(Ordering::Relaxed)),
        ];
        let journal = self
            .journal()
            .map(|journal| ("journal_bytes", journal.length()));
        let counts = counts.into_iter().chain(journal);
        counts
            .map(|(name, count)| (name.to_owned(), count))
            .collect()
    }

    /// A number that no other connection has.
    pub(crate) fn number(&self) -> u64 {
        // Relaxed: numbers need only differ.
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A name for the client of connection `number`, which has none: no session has it.
    pub(crate) fn unused_name(&self, number: u64) -> String {
        let sessions = self.sessions();
        let mut name = format!("auto-{number}");
        while sessions.contains(&*name) {
            name.push('x');
        }
        name
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
                self.keep(&session);
                sessions.replace(ByClient(Arc::clone(&session)));
                drop(sessions);
                if let Some(known) = known {
                    // First: from then on nobody subscribes for it.
                    known.evict();
                    self.forget(&known);
                    self.hurry_will(&known, now);
                }
                (session, false)
            }
        }
    }

    /// The connection `owner` is gone, with its will if it did not say goodbye. It was there at `heard`, and
    /// mostly longer.
    pub(crate) fn detach(
        &self,
        session: &Arc<Session>,
        owner: u64,
        will: Option<Arc<Will>>,
        heard: Millis,
    ) {
        // Relaxed: a time of some moments ago.
        let now = heard.max(self.now.load(Ordering::Relaxed));
        let expiry_s = session.state().expiry_s;
        let absence = session.detach(owner);
        match (will, &absence) {
            (Some(will), Some(absence)) if will.delay_s > 0 && expiry_s > 0 => {
                let at = now + 1000 * Millis::from(will.delay_s.min(expiry_s));
                let absence = absence.clone();
                self.plan(at, What::PublishWill { absence, will });
            }
            // A connection that took the session over keeps it from being sent (MQTT 5.0, 3.1.3.2.2).
            (Some(will), None) if will.delay_s > 0 && self.is_current(session) => {
                self.will_is_over(will.connection);
            }
            // A session that ends does not wait.
            (Some(will), _) => self.publish_will(&will, now),
            (None, _) => {}
        }
        match (absence, expiry_s) {
            // It belongs to another connection by now, or never ends.
            (None, _) | (_, u32::MAX) => {}
            (Some(absence), 0) => self.end(&absence),
            (Some(absence), seconds) => {
                let at = now + 1000 * Millis::from(seconds);
                if let Some(journal) = self.journal() {
                    let until = journal.wall(at);
                    session.state().note(|| Change::Away { until });
                }
                self.plan(at, What::EndSession(absence));
            }
        }
    }

    /// True while no other session has taken its place.
    fn is_current(&self, session: &Arc<Session>) -> bool {
        let sessions = self.sessions();
        let known = sessions.get(&*session.client);
        known.is_some_and(|known| Arc::ptr_eq(&known.0, session))
    }

    /// A session is over, unless its client came back.
    fn end(&self, absence: &Absence) {
        let session = &absence.session;
        let mut sessions = self.sessions();
        // Who comes back does so under this lock.
        if !absence.lasts() {
            return;
        }
        let client = &*session.client;
        let known = sessions.get(client);
        // One that was replaced is forgotten already.
        if known.is_some_and(|known| Arc::ptr_eq(&known.0, session)) {
            sessions.remove(client);
            drop(sessions);
            self.forget(session);
        }
    }

    /// Takes the subscriptions of a session away.
    fn forget(&self, session: &Arc<Session>) {
        let mut state = session.state();
        let filters = state.end();
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
            self.retain(&will.message, now);
        }
        let properties = will.message.properties(&[], now);
        self.route(
            &mut will.message.routed(&properties, now),
            will.retain,
            None,
        );
        self.will_is_over(will.connection);
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

    /// Keeps the last message of a topic; an empty one deletes it.
    pub(crate) fn retain(&self, message: &Arc<Message>, now: Millis) {
        self.retained.keep(message, self.journal(), now);
    }

    /// Subscribes for the connection `owner`, and gives the client what is kept. The code is for its SUBACK.
    pub(crate) fn subscribe(
        &self,
        session: &Arc<Session>,
        owner: u64,
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
        let Some(is_new) = session.state().subscribe(owner, wanted.filter, wish) else {
            return Reason::UNSPECIFIED_ERROR;
        };
        self.registry.insert(wanted.filter, shared, subscriber);
        if !session.state().wants(wanted.filter) {
            // It ended in between, and nobody else takes it away.
            self.registry.remove(wanted.filter, shared, session);
        }
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
        for message in self.retained.matching(filter, now) {
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
        if !session.state().unsubscribe(filter) {
            return Reason::NO_SUBSCRIPTION_EXISTED;
        }
        self.registry.remove(filter, shared, session);
        Reason::SUCCESS
    }

    fn plan(&self, at: Millis, what: What) {
        let mut due = self.due();
        if due.len() == due.capacity() {
            self.leave_out(&mut due);
        }
        due.push(Due { at, what });
        self.next_due.fetch_min(at, Ordering::Relaxed);
    }

    /// Leaves out what waits in vain: each time that a client came back something is left. That is done when
    /// memory would grow, and then there is room for twice as much, so that each is looked at but a few times.
    fn leave_out(&self, due: &mut Vec<Due>) {
        due.retain(|due| match &due.what {
            What::EndSession(absence) => absence.lasts() && self.is_current(&absence.session),
            What::PublishWill { absence, .. } if absence.lasts() => true,
            What::PublishWill { will, .. } => {
                self.will_is_over(will.connection);
                false
            }
        });
        due.reserve(due.len());
    }

    /// A session ended: the will that waits does not wait longer (MQTT 5.0, 3.1.3.2.2).
    fn hurry_will(&self, session: &Arc<Session>, now: Millis) {
        let mut due = self.due();
        for Due { at, what } in due.iter_mut() {
            if let What::PublishWill { absence, .. } = what
                && Arc::ptr_eq(&absence.session, session)
            {
                *at = now;
                self.next_due.store(now, Ordering::Relaxed);
            }
        }
    }

    /// Does what is due. Called often, and mostly nothing is.
    pub(crate) fn keep_time(&self, now: Millis) {
        // Read first: many connections ask at the same time.
        if self.now.load(Ordering::Relaxed) < now {
            self.now.store(now, Ordering::Relaxed);
        }
        if now < self.next_due.load(Ordering::Relaxed) {
            return;
        }
        let turn = self.turn();
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
                What::EndSession(absence) => self.end(&absence),
                What::PublishWill { absence, will } if absence.lasts() => {
                    self.publish_will(&will, now);
                }
                // It came back.
                What::PublishWill { will, .. } => self.will_is_over(will.connection),
            }
        }
        // When it cannot be written, whoever is served next learns it.
        self.write(turn.as_ref());
    }

    /// What is due at some time.
    #[cfg(test)]
    pub(crate) fn count_due(&self) -> usize {
        self.due().len()
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
