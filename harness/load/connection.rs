//! The state of one connection of the generator.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use ringside_contract::Session;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// There is no socket.
    Closed,
    /// The socket is being connected.
    Connecting,
    /// Bytes can flow, and the session waits for the answer to its handshake.
    Greeting,
    /// Operations can be started.
    Open,
}

/// An operation in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flying {
    /// When it was meant to start.
    pub(crate) intended: u64,
    /// Completions that it waits for.
    pub(crate) left: u32,
}

/// An operation that was due and found no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// When it was meant to start.
    pub(crate) intended: u64,
    /// Since when the generator was ready to start it: before that it was late by itself.
    pub(crate) since: u64,
}

/// One connection. It keeps its place, its session and its waiting operations when its socket is
/// replaced.
pub(crate) struct Connection {
    /// How far it is.
    pub(crate) state: State,
    /// The socket, unless closed.
    pub(crate) socket: Option<OwnedFd>,
    /// Grows with each socket, so that an event of an earlier one is known.
    pub(crate) generation: u32,
    /// Number over all threads.
    pub(crate) number: u32,
    /// Its side of the conversation.
    pub(crate) session: Box<dyn Session>,
    /// Number of the next operation.
    pub(crate) sequence: u64,
    /// The operations that were sent and have not ended, the oldest first.
    pub(crate) flying: VecDeque<Flying>,
    /// When something last ended, or the first of those in flight was sent; for a connection that is
    /// being opened, when that began.
    pub(crate) progress_at: u64,
    /// Operations that wait for a place in the window.
    pub(crate) waiting: VecDeque<Waiting>,
    /// Bytes that the socket did not take yet.
    pub(crate) unsent: Vec<u8>,
    /// Bytes that came and that the session wants to see again with more behind them.
    pub(crate) rest: Vec<u8>,
    /// Bytes to come that the session does not want to see.
    pub(crate) discard: u64,
    /// Bytes that came since an operation ended.
    pub(crate) received: u64,
    /// When it may read again, if reading is throttled.
    pub(crate) read_after: u64,
    /// True while it waits for that time.
    pub(crate) parked: bool,
}

impl Connection {
    /// A closed one.
    pub(crate) fn new(number: u32, session: Box<dyn Session>) -> Self {
        Self {
            state: State::Closed,
            socket: None,
            generation: 0,
            number,
            session,
            sequence: 0,
            flying: VecDeque::new(),
            progress_at: 0,
            waiting: VecDeque::new(),
            unsent: Vec::new(),
            rest: Vec::new(),
            discard: 0,
            received: 0,
            read_after: 0,
            parked: false,
        }
    }

    /// Closes the socket and forgets what belonged to it. Gives the operations that were in flight.
    pub(crate) fn close(&mut self) -> VecDeque<Flying> {
        self.state = State::Closed;
        self.socket = None;
        self.generation = self.generation.wrapping_add(1);
        self.unsent.clear();
        self.rest.clear();
        self.discard = 0;
        self.received = 0;
        self.parked = false;
        std::mem::take(&mut self.flying)
    }

    /// Operations that were sent and have not ended.
    pub(crate) fn in_flight(&self) -> u32 {
        self.flying.len() as u32
    }

    /// A completion came of the operation of that time, or, when a wrong answer names none that is in
    /// flight, of the oldest. True when it was the last one of an operation.
    pub(crate) fn land(&mut self, intended: u64) -> bool {
        let place = self.flying.iter().position(|one| one.intended == intended);
        let place = place.unwrap_or(0);
        let Some(flying) = self.flying.get_mut(place) else {
            return false;
        };
        flying.left = flying.left.saturating_sub(1);
        flying.left == 0 && self.flying.remove(place).is_some()
    }

    /// What an event of this socket carries.
    pub(crate) fn token(&self, index: usize) -> u64 {
        u64::from(self.generation) << 32 | index as u64
    }
}

/// The place and the generation in a token.
pub(crate) fn parts(token: u64) -> (usize, u32) {
    ((token & u64::from(u32::MAX)) as usize, (token >> 32) as u32)
}
