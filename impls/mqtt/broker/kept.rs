//! What of a broker outlives it: the journal, and the turns in which it is written.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError};

use ringside_contract::StartError;
use ringside_engine::Millis;
use ringside_wire::mqtt::topic;

use super::restored::{Known, Restored};
use super::{Broker, ByClient, What, Will};
use crate::journal::{Change, Journal, Turn, Wall};
use crate::registry::Subscriber;
use crate::retained::Retained;
use crate::session::Session;

/// What a broker with a journal has more.
#[derive(Debug)]
pub(super) struct Kept {
    journal: Arc<Journal>,
    /// Subscriptions are where messages find them. That waits for the first connection, whose thread is one
    /// that serves: a tree of a thread's own has to be that thread's.
    revived: Once,
    /// What clients left that an earlier broker lost.
    wills: Mutex<Vec<Arc<Will>>>,
}

impl Broker {
    /// Takes over what an earlier broker kept.
    pub(super) fn restore(&mut self, state: Option<&Path>, began: Wall) -> Result<(), StartError> {
        let mut restored = Restored::new(began);
        let journal = Journal::open(state, began, |entry| restored.repeat(entry))?;
        let journal = Arc::new(journal);
        *self.numbers.get_mut() = restored.sessions.keys().copied().max().unwrap_or(0);
        for (number, known) in restored.sessions {
            self.restore_session(number, known, &journal);
        }
        self.retained = Retained::new(restored.retained);
        let wills: Vec<_> = restored
            .wills
            .into_values()
            .map(|will| {
                let connection = self.number();
                Arc::new(Will { connection, ..will })
            })
            .collect();
        wills.iter().for_each(|will| journal.remember_will(will));
        self.kept = Some(Kept {
            journal: Arc::clone(&journal),
            revived: Once::new(),
            wills: wills.into(),
        });
        journal
            .turn()
            .rewrite(|journal| self.note_all(journal))
            .map_err(|source| StartError::Io {
                step: "write the journal anew".to_owned(),
                source,
            })
    }

    fn restore_session(&self, number: u64, known: Known, journal: &Arc<Journal>) {
        let session = known.session;
        let mut state = session.state();
        state.keep(journal, number);
        let expiry_s = state.expiry_s;
        drop(state);
        // A client that was there when the earlier broker ended is away from now on.
        let at = known.until.unwrap_or(1000 * Millis::from(expiry_s));
        if expiry_s < u32::MAX {
            self.plan(at, What::EndSession(session.absence()));
        }
        self.sessions().insert(ByClient(session));
    }

    /// Puts subscriptions of earlier sessions where messages find them, once, on a thread that serves, and
    /// publishes the wills of clients that were lost with the earlier broker.
    pub(crate) fn revive(&self, now: Millis) {
        let Some(kept) = &self.kept else {
            return;
        };
        kept.revived.call_once(|| {
            let turn = self.turn();
            let sessions: Vec<_> = {
                let sessions = self.sessions();
                sessions.iter().map(|known| Arc::clone(&known.0)).collect()
            };
            sessions
                .iter()
                .for_each(|session| self.revive_session(session));
            let mut wills = kept.wills.lock().unwrap_or_else(PoisonError::into_inner);
            for will in wills.drain(..) {
                self.revive_will(will, now);
            }
            self.write(turn.as_ref());
        });
    }

    fn revive_session(&self, session: &Arc<Session>) {
        let filters: Vec<_> = {
            let state = session.state();
            let filters = state.filters();
            filters
                .map(|(filter, wish)| (filter.to_owned(), wish))
                .collect()
        };
        for (filter, wish) in filters {
            let shared = topic::shared(&filter).unwrap_or_default();
            let session = Arc::clone(session);
            self.registry
                .insert(&filter, shared, Subscriber { session, wish });
        }
    }

    fn revive_will(&self, will: Arc<Will>, now: Millis) {
        let sessions = self.sessions();
        let session = sessions
            .get(&*will.client)
            .map(|known| Arc::clone(&known.0));
        drop(sessions);
        match session {
            Some(session) if will.delay_s > 0 => {
                let wait_s = will.delay_s.min(session.state().expiry_s);
                let absence = session.absence();
                self.plan(
                    now + 1000 * Millis::from(wait_s),
                    What::PublishWill { absence, will },
                );
            }
            _ => self.publish_will(&will, now),
        }
    }

    /// Has a session that outlives its connection written down.
    pub(super) fn keep(&self, session: &Session) {
        let mut state = session.state();
        if let Some(journal) = self.journal()
            && state.expiry_s > 0
        {
            state.keep(journal, self.number());
            let expiry_s = state.expiry_s;
            state.prolong(expiry_s, &session.client);
        }
    }

    /// What a connection leaves behind, unless its client says goodbye.
    pub(crate) fn expect_will(&self, will: &Arc<Will>) {
        if let Some(journal) = self.journal() {
            journal.will(will);
        }
    }

    /// It was published, or is void.
    pub(crate) fn will_is_over(&self, connection: u64) {
        if let Some(journal) = self.journal() {
            journal.will_is_over(connection);
        }
    }

    /// The right to change what is kept, until it is dropped; `None` when nothing is.
    pub(crate) fn turn(&self) -> Option<Turn<'_>> {
        self.journal().map(|journal| journal.turn())
    }

    /// Writes down what changed in a turn. False when that failed, and nothing may be acknowledged.
    pub(crate) fn write(&self, turn: Option<&Turn<'_>>) -> bool {
        let Some(turn) = turn else {
            return true;
        };
        if !turn.write() {
            return false;
        }
        if turn.is_long()
            && let Err(error) = turn.rewrite(|journal| self.note_all(journal))
        {
            eprintln!("ringside: failed to write the broker's journal anew, and it grows: {error}");
        }
        true
    }

    /// What every thread has to have open that serves.
    pub(crate) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let journal = self.journal().into_iter();
        journal.flat_map(|journal| journal.descriptors()).collect()
    }

    pub(super) fn journal(&self) -> Option<&Arc<Journal>> {
        self.kept.as_ref().map(|kept| &kept.journal)
    }

    /// Writes everything down that is kept but for the wills, in a turn of the caller's.
    fn note_all(&self, journal: &Journal) {
        for known in self.sessions().iter() {
            known.0.state().note_all(&known.0.client);
        }
        for due in self.due().iter() {
            if let What::EndSession(absence) = &due.what
                && absence.lasts()
            {
                let until = journal.wall(due.at);
                absence.session.state().note(|| Change::Away { until });
            }
        }
        self.retained.for_each(|message| journal.retained(message));
    }

    /// Writes the journal anew, long or not.
    #[cfg(test)]
    pub(crate) fn write_anew(&self) {
        let turn = self.turn().expect("it keeps a journal");
        turn.rewrite(|journal| self.note_all(journal))
            .expect("there is room");
    }

    /// What is kept, in words, in an order that does not depend on how it came to be.
    #[cfg(test)]
    pub(crate) fn describe(&self) -> Vec<String> {
        let sessions = self.sessions();
        let kept = sessions.iter().filter_map(|known| {
            let described = known.0.state().describe()?;
            Some(format!("{} {described}", known.0.client))
        });
        let mut retained = Vec::new();
        self.retained
            .for_each(|message| retained.push(format!("retained {message}")));
        let wills = self.journal().map(|journal| journal.wills()).into_iter();
        let wills = wills.flatten().map(|will| {
            let Will {
                client,
                message,
                retain,
                delay_s,
                ..
            } = &*will;
            format!("will of {client}: {message} {retain} {delay_s}")
        });
        let mut all: Vec<_> = kept.chain(retained).chain(wills).collect();
        all.sort_unstable();
        all
    }
}
