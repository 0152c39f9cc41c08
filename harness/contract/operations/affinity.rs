//! Sessions: which backend a client is kept at.

use serde::{Deserialize, Serialize};

use super::map::KeyChoice;

/// Clients that ask for their backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AffinityTask {
    /// Clients that have a session before the first operation, at least 1.
    pub sessions: u32,
    /// Of 100 operations so many are those of a client without a session. With any the table keeps no more than
    /// `sessions`, so that each ends another one; with none it has room for twice as many.
    pub fresh: u32,
    /// Which of the clients with a session ask how often.
    pub keys: KeyChoice,
}

/// A table of sessions behind a pointer, for conformance cases.
pub trait SessionTable: Send + Sync {
    /// The backend of client `client`, whose session counts as used at `now` (which never goes back). A client without
    /// one gets one with `choice`; where the table is full, another one ends for it.
    fn backend(&self, client: u32, now: u32, choice: u32) -> u32;

    /// How many sessions there are.
    fn sessions(&self) -> usize;
}

/// One way to keep sessions, for conformance cases.
pub trait TestedAffinity: Send + Sync {
    /// An empty table that keeps at most so many sessions, at least 64.
    fn of(&self, most: usize) -> Box<dyn SessionTable>;
}
