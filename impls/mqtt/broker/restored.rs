//! What the journal of an earlier broker says, as it is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ringside_engine::Millis;

use super::Will;
use crate::journal::{Change, Entry, Wall};
use crate::message::Message;
use crate::session::{Messages, Session};

/// What is kept, as far as the journal was read.
#[derive(Debug)]
pub(super) struct Restored {
    began: Wall,
    pub(super) sessions: HashMap<u64, Known>,
    pub(super) retained: HashMap<Box<str>, Arc<Message>>,
    /// By the connection that left it; in order, so that they are published in order.
    pub(super) wills: BTreeMap<u64, Will>,
    messages: Messages,
}

/// A session.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) session: Arc<Session>,
    /// When it ends, if its client was away.
    pub(super) until: Option<Millis>,
}

impl Restored {
    /// Nothing, for a broker whose clock began at `began`.
    pub(super) fn new(began: Wall) -> Self {
        Self {
            began,
            sessions: HashMap::new(),
            retained: HashMap::new(),
            wills: BTreeMap::new(),
            messages: HashMap::new(),
        }
    }

    /// Repeats a change.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn repeat(&mut self, entry: &Entry<'_>) -> Result<(), &'static str> {
        match entry {
            Entry::Message {
                message,
                expires,
                publish,
            } => {
                let expires = expires.map(|wall| self.began.own(wall));
                let read = Message::of_packet(publish, expires).ok_or("a message is no PUBLISH")?;
                self.messages.insert(*message, read);
            }
            Entry::Retained { message } => {
                let message = self.message(*message)?;
                self.retained.insert(message.topic.clone(), message);
            }
            Entry::Cleared { topic } => {
                self.retained.remove(*topic);
            }
            Entry::Will {
                connection,
                client,
                message,
                retain,
                delay_s,
            } => {
                let will = Will {
                    connection: *connection,
                    client: (*client).into(),
                    message: self.message(*message)?,
                    retain: *retain,
                    delay_s: *delay_s,
                };
                self.wills.insert(*connection, will);
            }
            Entry::WillOver { connection } => {
                self.wills.remove(connection);
            }
            Entry::Session(session, change) => self.repeat_session(*session, change)?,
        }
        Ok(())
    }

    fn repeat_session(&mut self, number: u64, change: &Change<'_>) -> Result<(), &'static str> {
        if let Change::Known { client, .. } = change {
            let known = self.sessions.entry(number).or_insert_with(|| Known {
                session: Session::of_earlier_broker(client),
                until: None,
            });
            known.until = None;
        }
        if *change == Change::Ended {
            let ended = self.sessions.remove(&number);
            return ended.map(|_| ()).ok_or("a session that is not there ends");
        }
        let known = self
            .sessions
            .get_mut(&number)
            .ok_or("a session that is not there changes")?;
        if let Change::Away { until } = change {
            known.until = Some(self.began.own(*until));
        }
        known.session.state().repeat(change, &self.messages)
    }

    fn message(&self, number: u64) -> Result<Arc<Message>, &'static str> {
        let message = self.messages.get(&number).cloned();
        message.ok_or("a message that is not there is kept")
    }
}
