//! What the journal holds of a session: written with every change, and read at the start of the next broker.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use ringside_wire::mqtt::{QualityOfService, Version};

use super::{More, Queued, Session, State};
use crate::journal::{Change, Journal};
use crate::message::Message;
use crate::registry::Wish;

/// Where a session is written down.
#[derive(Debug)]
pub(super) struct Record {
    journal: Arc<Journal>,
    /// Its number there.
    session: u64,
}

/// Bits of the options of a SUBSCRIBE (MQTT 5.0, 3.8.3.1).
const QUALITY: u8 = 0b11;
const NO_LOCAL: u8 = 1 << 2;
const RETAIN_AS_PUBLISHED: u8 = 1 << 3;

/// Messages of a journal by their numbers.
pub(crate) type Messages = HashMap<u64, Arc<Message>>;

impl Session {
    /// A session of an earlier broker, whose client is away.
    pub(crate) fn of_earlier_broker(client: &str) -> Arc<Self> {
        Arc::new(Self {
            client: client.into(),
            online: AtomicBool::new(false),
            state: Mutex::new(State {
                owner: 0,
                caller: None,
                called: false,
                version: Version::V311,
                receive_maximum: 0,
                packet_max: 0,
                expiry_s: 0,
                absences: 0,
                more: None,
            }),
        })
    }
}

impl State {
    /// From here on every change is written down, as of the session of that number.
    pub(crate) fn keep(&mut self, journal: &Arc<Journal>, session: u64) {
        let journal = Arc::clone(journal);
        self.more().record = Some(Record { journal, session });
    }

    /// It is there: on another connection, or for another time.
    pub(crate) fn prolong(&mut self, expiry_s: u32, client: &str) {
        self.expiry_s = expiry_s;
        if expiry_s == 0 {
            self.stop_keeping();
        } else {
            self.note(|| Change::Known { client, expiry_s });
        }
    }

    /// It ends with its connection, or has ended.
    pub(super) fn stop_keeping(&mut self) {
        self.note(|| Change::Ended);
        if let Some(more) = &mut self.more {
            more.record = None;
        }
    }

    /// Writes a change down, when the session is one that is.
    pub(crate) fn note<'a>(&self, change: impl FnOnce() -> Change<'a>) {
        if let Some(Record { journal, session }) = self.record() {
            journal.session(*session, change());
        }
    }

    /// A message is the last of those that wait.
    pub(super) fn note_queued(&self, queued: Option<&Queued>) {
        if let (Some(Record { journal, session }), Some(queued)) = (self.record(), queued) {
            let message = journal.message(&queued.message);
            let change = Change::Queued {
                message,
                quality: queued.quality as u8,
                retain: queued.retain,
                subscriptions: Cow::Borrowed(&queued.subscriptions),
            };
            journal.session(*session, change);
        }
    }

    /// Writes everything down, for a journal that is written anew.
    pub(crate) fn note_all(&self, client: &str) {
        let Some(more) = self.more.as_ref().filter(|more| more.record.is_some()) else {
            return;
        };
        let expiry_s = self.expiry_s;
        self.note(|| Change::Known { client, expiry_s });
        for (filter, wish) in self.filters() {
            self.note(|| subscribed(filter, wish));
        }
        for (number, queued) in more.in_flight.unacknowledged() {
            self.note_queued(queued.as_ref());
            self.note(|| Change::Sent { number });
        }
        for number in more.in_flight.released() {
            self.note(|| Change::Released { number });
        }
        for queued in &more.queue {
            self.note_queued(Some(queued));
        }
        for &identifier in &more.received {
            self.note(|| Change::Received { identifier });
        }
    }

    /// Repeats a change that an earlier broker wrote down.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn repeat(
        &mut self,
        change: &Change<'_>,
        messages: &Messages,
    ) -> Result<(), &'static str> {
        let more = self.more.get_or_insert_default();
        match change {
            Change::Known { expiry_s, .. } => self.expiry_s = *expiry_s,
            // About the session as a whole: whoever holds it sees to that.
            Change::Away { .. } | Change::Ended => {}
            Change::Subscribed {
                filter,
                options,
                identifier,
            } => {
                let wish = wish(*options, *identifier).ok_or("a subscription at QoS 3")?;
                more.filters.insert((*filter).into(), wish);
            }
            Change::Unsubscribed { filter } => {
                more.filters.remove(*filter);
            }
            Change::Queued {
                message,
                quality,
                retain,
                subscriptions,
            } => more.queue.push_back(Queued {
                message: messages
                    .get(message)
                    .cloned()
                    .ok_or("a message that is not there waits")?,
                quality: QualityOfService::from_bits(*quality).ok_or("a message at QoS 3 waits")?,
                retain: *retain,
                subscriptions: subscriptions.to_vec(),
            }),
            change => more.repeat_delivery(change)?,
        }
        Ok(())
    }

    /// What is kept, in words; `None` when it ends with its connection.
    #[cfg(test)]
    pub(crate) fn describe(&self) -> Option<String> {
        let more = self.more.as_ref().filter(|more| more.record.is_some())?;
        let queued = |queued: &Queued| {
            let Queued {
                message,
                quality,
                retain,
                subscriptions,
            } = queued;
            format!("{message} {quality:?} {retain} {subscriptions:?}")
        };
        let mut filters: Vec<_> = self.filters().collect();
        filters.sort_unstable_by_key(|(filter, _)| *filter);
        let sent = more.in_flight.unacknowledged();
        let sent: Vec<_> = sent
            .map(|(at, sent)| (at, sent.as_ref().map(queued)))
            .collect();
        let released: Vec<_> = more.in_flight.released().collect();
        let waiting: Vec<_> = more.queue.iter().map(queued).collect();
        let mut received: Vec<_> = more.received.iter().collect();
        received.sort_unstable();
        let expiry_s = self.expiry_s;
        Some(format!(
            "{expiry_s} {filters:?} sent {sent:?} released {released:?} waiting {waiting:?} received {received:?}"
        ))
    }

    fn record(&self) -> Option<&Record> {
        self.more.as_ref()?.record.as_ref()
    }
}

impl More {
    /// Repeats a step of a message on its way from or to the client.
    fn repeat_delivery(&mut self, change: &Change<'_>) -> Result<(), &'static str> {
        match *change {
            Change::Sent { number } => {
                let queued = self.queue.pop_front().ok_or("nothing waits to be sent")?;
                self.in_flight.push(number, queued.quality, Some(queued));
            }
            Change::Skipped => {
                self.queue
                    .pop_front()
                    .ok_or("nothing waits to be left out")?;
            }
            Change::Released { number } => self.in_flight.release_again(number),
            Change::Done { number } => {
                self.in_flight
                    .finish(crate::in_flight::identifier(number))
                    .ok_or("nothing in flight is done with")?;
            }
            Change::Received { identifier } => {
                self.received.insert(identifier);
            }
            Change::Forgotten { identifier } => {
                self.received.remove(&identifier);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A subscription as the journal has it.
pub(super) fn subscribed(filter: &str, wish: Wish) -> Change<'_> {
    let options = wish.quality as u8
        | if wish.no_local { NO_LOCAL } else { 0 }
        | if wish.retain_as_published {
            RETAIN_AS_PUBLISHED
        } else {
            0
        };
    Change::Subscribed {
        filter,
        options,
        identifier: wish.identifier,
    }
}

fn wish(options: u8, identifier: u32) -> Option<Wish> {
    Some(Wish {
        quality: QualityOfService::from_bits(options & QUALITY)?,
        no_local: options & NO_LOCAL != 0,
        retain_as_published: options & RETAIN_AS_PUBLISHED != 0,
        identifier,
    })
}
