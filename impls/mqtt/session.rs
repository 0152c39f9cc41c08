//! One session: what waits for a client, connected or not, and what it has not acknowledged yet.
//!
//! Messages at QoS 0, and those for which the client has room, are written at once to a buffer that its
//! connection takes as a whole: many messages then leave in one send, and none of them is kept twice.
//! Others wait in a bounded queue; what does not fit is dropped and counted, so that a client that does
//! not read costs a bounded amount of memory and nobody's time.

mod delivery;
mod kept;

use std::collections::{HashMap, HashSet, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringside_engine::{Caller, Millis};
use ringside_wire::mqtt::{QualityOfService, Version};

pub(crate) use self::kept::Messages;
use self::kept::Record;
use crate::aliases;
use crate::in_flight::InFlight;
use crate::journal::Change;
use crate::message::{Message, Routed};
use crate::outgoing::Outgoing;
use crate::registry::Wish;

/// What of a session anybody may need to know.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Box<str>,
    online: AtomicBool,
    state: Mutex<State>,
}

/// The state of a session.
#[derive(Debug)]
pub(crate) struct State {
    /// The connection that it belongs to; 0 for none.
    pub(crate) owner: u64,
    caller: Option<Caller>,
    /// The connection was called and has not looked yet.
    called: bool,
    version: Version,
    /// Messages that the client takes at a time, of QoS 1 and 2.
    receive_maximum: u16,
    /// Bytes of a packet that it takes.
    pub(crate) packet_max: u32,
    /// Seconds that it outlives its connection.
    pub(crate) expiry_s: u32,
    /// Connections that it lost so far.
    absences: u32,
    /// What a client without subscriptions, that publishes at most at QoS 1, never needs: most that stay
    /// are such.
    more: Option<Box<More>>,
}

/// The part of a session that it may never need.
#[derive(Debug, Default)]
struct More {
    /// Written and not yet taken.
    outgoing: Outgoing,
    /// What was sent and is not acknowledged. For sending it again it is kept in a session that outlives
    /// its connection, and only there.
    in_flight: InFlight<Option<Queued>>,
    queue: VecDeque<Queued>,
    /// Packet identifiers of messages of QoS 2 that the client has not released.
    received: HashSet<u16>,
    /// What it subscribed to, to be taken from the registry at its end.
    filters: HashMap<Box<str>, Wish>,
    /// Messages that it did not get, since it did not take what waited.
    dropped: u64,
    /// Numbers that the connection's client was given for topics, if it takes any.
    aliases: Option<Box<aliases::Outgoing>>,
    /// Where it is written down, when it outlives the broker.
    record: Option<Record>,
}

/// A message for the client.
#[derive(Debug, Clone)]
struct Queued {
    message: Arc<Message>,
    quality: QualityOfService,
    retain: bool,
    subscriptions: Vec<u32>,
}

/// The time from the end of a connection until the client comes back.
#[derive(Debug, Clone)]
pub(crate) struct Absence {
    pub(crate) session: Arc<Session>,
    number: u32,
}

/// A connection for a session.
#[derive(Debug)]
pub(crate) struct Attach {
    pub(crate) owner: u64,
    pub(crate) caller: Caller,
    pub(crate) version: Version,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_max: u32,
    /// Topics that the client takes a number for.
    pub(crate) aliases_max: u16,
    pub(crate) expiry_s: u32,
}

impl Session {
    /// For a client that was not known.
    pub(crate) fn new(client: &str, attach: Attach) -> Arc<Self> {
        let mut state = State {
            owner: attach.owner,
            caller: Some(attach.caller),
            called: false,
            version: attach.version,
            receive_maximum: attach.receive_maximum,
            packet_max: attach.packet_max,
            expiry_s: attach.expiry_s,
            absences: 0,
            more: None,
        };
        state.begin_aliases(attach.aliases_max);
        Arc::new(Self {
            client: client.into(),
            online: AtomicBool::new(true),
            state: Mutex::new(state),
        })
    }

    /// Its state.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True while it has a connection.
    pub(crate) fn is_online(&self) -> bool {
        // Relaxed: a hint for the choice of a member; the state decides.
        self.online.load(Ordering::Relaxed)
    }

    /// The session goes on over another connection: what was in flight is sent again (4.4).
    pub(crate) fn attach(&self, attach: Attach, now: Millis) {
        let mut state = self.state();
        self.online.store(true, Ordering::Relaxed);
        state.call();
        state.owner = attach.owner;
        state.caller = Some(attach.caller);
        state.called = false;
        state.version = attach.version;
        state.receive_maximum = attach.receive_maximum;
        state.packet_max = attach.packet_max;
        state.prolong(attach.expiry_s, &self.client);
        state.clear_outgoing();
        state.begin_aliases(attach.aliases_max);
        state.send_again(now);
    }

    /// Another session takes its place: its connection is told.
    pub(crate) fn evict(&self) {
        let mut state = self.state();
        self.online.store(false, Ordering::Relaxed);
        state.call();
        state.owner = 0;
        state.caller = None;
    }

    /// The connection `owner` is gone. `None` when the session belongs to another by now.
    pub(crate) fn detach(self: &Arc<Self>, owner: u64) -> Option<Absence> {
        let mut state = self.state();
        if state.owner != owner {
            return None;
        }
        self.online.store(false, Ordering::Relaxed);
        state.owner = 0;
        state.caller = None;
        state.clear_outgoing();
        state.begin_aliases(0);
        state.absences = state.absences.wrapping_add(1);
        drop(state);
        Some(self.absence())
    }

    /// The absence that it is in, when it has no connection.
    pub(crate) fn absence(self: &Arc<Self>) -> Absence {
        Absence {
            session: Arc::clone(self),
            number: self.state().absences,
        }
    }

    /// Gives it a message that was routed to it.
    pub(crate) fn deliver(
        &self,
        routed: &mut Routed<'_>,
        quality: QualityOfService,
        retain: bool,
        subscriptions: &[u32],
    ) {
        let mut state = self.state();
        if quality == QualityOfService::AtMostOnce {
            state.write_unacknowledged(routed, retain, subscriptions);
        } else {
            state.write_or_queue(routed, quality, retain, subscriptions);
        }
    }
}

impl Absence {
    /// The client did not come back since.
    pub(crate) fn lasts(&self) -> bool {
        let state = self.session.state();
        state.owner == 0 && state.absences == self.number
    }
}

impl State {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// It subscribes. True when it had not the same filter before; `None` when it is not the connection's
    /// any more that asks for it.
    pub(crate) fn subscribe(&mut self, owner: u64, filter: &str, wish: Wish) -> Option<bool> {
        if self.owner != owner {
            return None;
        }
        let is_new = self.more().filters.insert(filter.into(), wish).is_none();
        self.note(|| kept::subscribed(filter, wish));
        Some(is_new)
    }

    /// It subscribed to a filter.
    pub(crate) fn wants(&self, filter: &str) -> bool {
        let more = self.more.as_ref();
        more.is_some_and(|more| more.filters.contains_key(filter))
    }

    /// It does not want a filter any more. False when it had it not.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> bool {
        let had = self.more().filters.remove(filter).is_some();
        if had {
            self.note(|| Change::Unsubscribed { filter });
        }
        had
    }

    /// What it subscribed to.
    pub(crate) fn filters(&self) -> impl Iterator<Item = (&str, Wish)> {
        let filters = self.more.iter().flat_map(|more| &more.filters);
        filters.map(|(filter, wish)| (&**filter, *wish))
    }

    /// It is over. Its filters, to be taken from the registry.
    pub(crate) fn end(&mut self) -> impl Iterator<Item = Box<str>> + use<> {
        self.stop_keeping();
        let more = self.more.as_mut();
        more.map_or_else(HashMap::new, |more| mem::take(&mut more.filters))
            .into_keys()
    }

    /// Messages that it did not get.
    pub(crate) fn dropped(&self) -> u64 {
        self.more.as_ref().map_or(0, |more| more.dropped)
    }

    /// Whether messages wait for room.
    fn has_queued(&self) -> bool {
        self.more
            .as_ref()
            .is_some_and(|more| !more.queue.is_empty() || more.in_flight.waiting_again() > 0)
    }

    /// Has the connection look, unless it will anyway.
    fn call(&mut self) {
        if let Some(caller) = &self.caller
            && !mem::replace(&mut self.called, true)
        {
            caller.call();
        }
    }
}
