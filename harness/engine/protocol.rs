//! What a family gives to the engines: a sans-I/O core. The engines own sockets, buffers and clocks;
//! a core takes bytes and says what to do with the connection.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::Caller;

/// Milliseconds of the engine's own clock, which starts with the service.
pub type Millis = u64;

/// The protocol of one service, shared by all connections and all workers.
pub trait Protocol: Send + Sync + 'static {
    /// What it remembers of one connection.
    type Connection: Send + 'static;

    /// Connections send things to one another, by [`Caller`]. Engines look for calls only then.
    const CALLS: bool = false;

    /// All connections have to be served by one thread. An engine that would take another one when its
    /// table of descriptors is full lets further clients wait instead.
    fn wants_one_thread(&self) -> bool {
        false
    }

    /// The descriptors that it has from its start on, which stay open under their numbers where a thread
    /// gets a table of descriptors of its own.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }

    /// The protocol for the connections of a thread that has a table of descriptors of its own, in which
    /// nothing of the protocol is open but [`Self::descriptors`]: what was opened later has another number
    /// there, or none. Called on that thread.
    ///
    /// # Errors
    /// The system's answer, such as no descriptor left.
    fn in_own_table(self: &Arc<Self>) -> io::Result<Arc<Self>> {
        Ok(Arc::clone(self))
    }

    /// A connection was accepted.
    fn open(&self, now: Millis) -> Self::Connection;

    /// Gives a new connection what others can call it by, where [`Self::CALLS`].
    fn introduce(&self, connection: &mut Self::Connection, caller: Caller) {
        let _ = (connection, caller);
    }

    /// Appends to `out` what others have for this connection, after it was called and everything before
    /// was sent. A few socket buffers at a time: what the core keeps, it can still drop.
    fn deliver(
        &self,
        connection: &mut Self::Connection,
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Delivery {
        let _ = (connection, now, out);
        Delivery::Done
    }

    /// Takes bytes that came and appends replies to `out`. Called again at once with the rest of the
    /// input (also an empty rest) after a [`Step::Body`] was sent; with more input after a
    /// [`Step::Read`].
    fn receive(
        &self,
        connection: &mut Self::Connection,
        input: &[u8],
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Progress;

    /// The peer has closed its side; what it asked before is still answered. May append to `out`.
    fn half_closed(&self, connection: &mut Self::Connection, out: &mut Vec<u8>) {
        let _ = (connection, out);
    }

    /// Called before [`Self::tick`] while replies wait, since the peer takes them slowly: what it sent
    /// meanwhile may lie unread, so no deadline for it may run on.
    fn held_up(&self, connection: &mut Self::Connection, now: Millis) {
        let _ = (connection, now);
    }

    /// Called about once a second for each connection: deadlines are kept here. May append a last
    /// reply to `out` before [`Tick::Close`].
    fn tick(&self, connection: &mut Self::Connection, now: Millis, out: &mut Vec<u8>) -> Tick {
        let _ = (connection, now, out);
        Tick::Keep
    }
}

/// How far a delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing is left until the next call.
    Done,
    /// There is more: to be asked again once `out`, which is not empty, was sent.
    More,
    /// Send `out`, then close, as [`Step::Close`] does.
    Close,
}

/// What a core did with the input.
#[derive(Debug)]
pub struct Progress {
    /// Bytes of the input that it will not need again.
    pub consumed: usize,
    /// What comes next.
    pub step: Step,
}

/// What an engine has to do next.
#[derive(Debug)]
pub enum Step {
    /// Send `out`, then wait for more input.
    Read,
    /// The first `length` bytes of the input, all of them consumed, are the reply: send `out`, then
    /// these bytes, straight from the input buffer where the engine can.
    Reflect {
        /// How many bytes.
        length: usize,
    },
    /// Send `out`, then this body, then call `receive` again with the rest of the input.
    Body(Body),
    /// Send `out`, close the sending side, read and drop what still comes for a short time (so that
    /// the peer sees the reply and not a reset), then close.
    Close,
}

/// What a core decides about a connection as time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Go on.
    Keep,
    /// Send what was appended, as far as it can be sent at once, and close.
    Close,
}

/// Part of some content that has to be sent.
#[derive(Debug, Clone)]
pub struct Body {
    /// Where the bytes are.
    pub content: Content,
    /// First byte.
    pub offset: u64,
    /// How many bytes. A file that became shorter meanwhile cannot give them: the engine then closes
    /// the connection, since the length was already promised.
    pub length: u64,
}

/// Where the bytes of a body are.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory.
    Memory(Arc<[u8]>),
    /// In a file: how it is sent is the engine's [`crate::BodyMode`].
    File(Arc<std::fs::File>),
}
