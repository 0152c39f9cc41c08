//! What one thread keeps for itself, so that the hot path takes no lock and makes no system call: the
//! date of the current second, and the documents that it served last with their heads ready.
//!
//! It lies in thread-local storage because the connections of one thread share it, whatever the
//! engine: a thread of a loop has thousands, a thread of `blocking` has one. A slot holds a target's
//! bytes, so a hit costs one short hash, one comparison and no decoding.

use std::sync::Arc;
use std::time::SystemTime;

use ringside_engine::Millis;

use crate::cache::{Cache, EXHAUSTED, without_query};
use crate::files::Document;
use crate::reply;

/// Slots of a thread. Targets that share one push each other out, to the shared cache.
const SLOTS: usize = 64;

/// The state of one thread for one server.
#[derive(Default)]
pub(crate) struct Worker {
    owner: u64,
    /// The date of the current second.
    pub(crate) clock: Clock,
    slots: Vec<Option<Slot>>,
}

/// A document with the head of its usual reply.
pub(crate) struct Slot {
    target: Box<[u8]>,
    /// The document.
    pub(crate) document: Arc<Document>,
    /// Head of a reply of 200 that keeps the connection.
    head: Vec<u8>,
    date_at: usize,
    date_second: u64,
}

impl Worker {
    /// Forgets what another server left on this thread: threads of tests serve several in turn.
    pub(crate) fn belong_to(&mut self, owner: u64) {
        if self.owner != owner {
            self.owner = owner;
            self.clock = Clock::default();
            self.slots.clear();
            self.slots.resize_with(SLOTS, || None);
        }
    }

    /// The slot of `target`, filled and fresh.
    ///
    /// # Errors
    /// A status, as [`Cache::document`] has it.
    pub(crate) fn slot(&mut self, cache: &Cache, target: &[u8], now: Millis) -> Result<&Slot, u16> {
        let second = self.clock.second;
        let place = index(target);
        let hit = self.slots[place]
            .as_ref()
            .is_some_and(|slot| *slot.target == *target && slot.document.is_fresh(now));
        if !hit {
            self.refill(place, cache, target, now)?;
        }
        let slot = self.slots[place].as_mut().ok_or(500_u16)?;
        if slot.date_second != second {
            slot.date_second = second;
            let date_at = slot.date_at;
            slot.head[date_at..date_at + DATE_LENGTH].copy_from_slice(&self.clock.date);
        }
        Ok(slot)
    }

    #[cold]
    fn refill(
        &mut self,
        place: usize,
        cache: &Cache,
        target: &[u8],
        now: Millis,
    ) -> Result<(), u16> {
        if cache.is_exceeded() {
            // A thread for each connection, each with slots of its own, would hold every descriptor.
            self.slots.fill_with(|| None);
        }
        match Self::fill(&mut self.slots[place], cache, target, now, &self.clock) {
            Err(EXHAUSTED) => {
                // Slots hold descriptors that the cache cannot close.
                self.slots.fill_with(|| None);
                Self::fill(&mut self.slots[place], cache, target, now, &self.clock)
            }
            filled => filled,
        }
    }

    fn fill(
        slot: &mut Option<Slot>,
        cache: &Cache,
        target: &[u8],
        now: Millis,
        clock: &Clock,
    ) -> Result<(), u16> {
        let own = slot.as_ref().is_some_and(|slot| *slot.target == *target);
        let document = match cache.document(without_query(target), now) {
            Ok(document) => document,
            Err(status) => {
                // What is no file must not push out what is one.
                if own {
                    *slot = None;
                }
                return Err(status);
            }
        };
        let same = own
            && slot
                .as_ref()
                .is_some_and(|slot| Arc::ptr_eq(&slot.document, &document));
        if !same {
            let mut head = Vec::new();
            let date_at = reply::whole(&mut head, &document, clock, true);
            let date_second = clock.second;
            *slot = Some(Slot {
                target: target.into(),
                document,
                head,
                date_at,
                date_second,
            });
        }
        Ok(())
    }
}

impl Slot {
    /// The head of a reply of 200 to a connection that goes on, with the current date.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }
}

/// Length of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) const DATE_LENGTH: usize = 29;

/// The date of replies. The wall clock is read once a second.
pub(crate) struct Clock {
    /// The date as text.
    pub(crate) date: [u8; DATE_LENGTH],
    /// Seconds since 1970 that it says; 0 before the first reading.
    pub(crate) second: u64,
    until: Millis,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            date: *b"Thu, 01 Jan 1970 00:00:00 GMT",
            second: 0,
            until: 0,
        }
    }
}

impl Clock {
    /// Reads the wall clock when the second of the last reading is over.
    pub(crate) fn update(&mut self, now: Millis) {
        if now < self.until {
            return;
        }
        let wall = SystemTime::now();
        let since = wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.second = since.as_secs();
        self.until = now + 1000 - Millis::from(since.subsec_millis());
        let text = httpdate::fmt_http_date(wall);
        if let Ok(date) = text.as_bytes().try_into() {
            self.date = date;
        }
    }
}

/// The slot of a target: FNV-1a over its last 16 bytes, which is where targets differ, and its length.
fn index(target: &[u8]) -> usize {
    let tail = &target[target.len().saturating_sub(16)..];
    let seed = 0xcbf2_9ce4_8422_2325 ^ target.len() as u64;
    let hash = tail.iter().fold(seed, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 32) as usize % SLOTS
}
