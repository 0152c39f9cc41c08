//! The broker's side of one MQTT connection, without sockets: bytes and ticks in, packets out. Every
//! engine of the family but the floor drives this.

mod connection;

use std::mem;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use ringside_contract::StartError;
use ringside_engine::{Caller, Delivery, Millis, Progress, Protocol, Step, Tick};
use ringside_wire::mqtt::Version;
use ringside_wire::mqtt::reason::Reason;

use crate::aliases::Incoming;
use crate::broker::{Broker, Will};
use crate::journal::Wall;
use crate::memory::Own;
use crate::outgoing::Taking;
use crate::session::Session;
use crate::settings::BrokerSettings;

/// The largest packet that is taken, in bytes; clients of 5.0 are told.
pub(crate) const PACKET_MAX: usize = 1 << 20;
/// Time for the first packet.
const CONNECT_MAX: Millis = 10_000;

/// A broker.
#[derive(Debug)]
pub struct Mqtt {
    broker: Arc<Broker>,
    taking: Taking,
}

/// What is remembered of one connection.
#[derive(Debug)]
pub struct Connection {
    broker: Arc<Broker>,
    own: Own,
    number: u64,
    caller: Option<Caller>,
    version: Version,
    session: Option<Arc<Session>>,
    will: Option<Arc<Will>>,
    /// Topics by their numbers.
    aliases: Incoming,
    /// Milliseconds without a packet after which the client is lost; 0 for no limit.
    silence_max: Millis,
    /// When the last packet came.
    heard: Millis,
    /// It is over: what still comes is nobody's.
    ended: bool,
}

impl Mqtt {
    /// A broker. One that keeps what outlives it does so in the folder `state`, and begins with what an earlier
    /// one kept there; without a folder it is gone with the process.
    ///
    /// # Errors
    /// What is kept cannot be read or written, or another broker keeps its own there.
    pub fn open(settings: &BrokerSettings, state: Option<&Path>) -> Result<Self, StartError> {
        Self::open_at(settings, state, Wall::now())
    }

    /// The same, at a time of the caller's choice.
    fn open_at(
        settings: &BrokerSettings,
        state: Option<&Path>,
        now: Wall,
    ) -> Result<Self, StartError> {
        Ok(Self {
            broker: Broker::open(settings, state, now)?,
            taking: Taking {
                coalesce: settings.coalesce,
                batch: settings.forward_batch,
            },
        })
    }

    /// What its connections share.
    pub(crate) fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }
}

impl Protocol for Mqtt {
    type Connection = Connection;

    const CALLS: bool = true;

    fn wants_one_thread(&self) -> bool {
        self.broker.is_of_one_thread()
    }

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.broker.descriptors()
    }

    fn open(&self, now: Millis) -> Connection {
        self.broker.revive(now);
        Connection {
            broker: Arc::clone(&self.broker),
            own: self.broker.store.get(),
            number: self.broker.number(),
            caller: None,
            version: Version::V311,
            session: None,
            will: None,
            aliases: Incoming::default(),
            silence_max: CONNECT_MAX,
            heard: now,
            ended: false,
        }
    }

    fn introduce(&self, connection: &mut Connection, caller: Caller) {
        connection.caller = Some(caller);
    }

    fn deliver(&self, connection: &mut Connection, now: Millis, out: &mut Vec<u8>) -> Delivery {
        let Some(session) = &connection.session else {
            return Delivery::Done;
        };
        let turn = self.broker.turn();
        let mut state = session.state();
        if state.owner != connection.number {
            drop(state);
            connection.taken_over(out);
            return Delivery::Close;
        }
        let before = out.len();
        let more = state.take(out, now, self.taking);
        drop(state);
        if !self.broker.write(turn.as_ref()) {
            connection.nothing_is_kept(true, out, before);
            return Delivery::Close;
        }
        connection.own.pass_on(out, before);
        if more && out.len() > before {
            Delivery::More
        } else {
            Delivery::Done
        }
    }

    fn receive(
        &self,
        connection: &mut Connection,
        input: &[u8],
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Progress {
        let before = out.len();
        // Apart from the connection, which a packet that lies in it changes.
        let mut own = mem::replace(&mut connection.own, Own::Nothing);
        let turn = self.broker.turn();
        let was_welcome = connection.session.is_some();
        let consumed = connection.packets(input, &mut own, now, out);
        if !self.broker.write(turn.as_ref()) {
            connection.nothing_is_kept(was_welcome, out, before);
        }
        drop(turn);
        own.pass_on(out, before);
        connection.own = own;
        if connection.ended {
            return Progress {
                consumed: input.len(),
                step: Step::Close,
            };
        }
        Progress {
            consumed,
            step: Step::Read,
        }
    }

    fn held_up(&self, connection: &mut Connection, now: Millis) {
        connection.heard = now;
    }

    fn tick(&self, connection: &mut Connection, now: Millis, out: &mut Vec<u8>) -> Tick {
        self.broker.keep_time(now);
        let silent = now.saturating_sub(connection.heard);
        if connection.silence_max == 0 || silent <= connection.silence_max {
            return Tick::Keep;
        }
        if connection.session.is_some() {
            connection.refuse(Reason::KEEP_ALIVE_TIMEOUT, out);
        }
        Tick::Close
    }
}

impl Drop for Connection {
    /// However it ended: the session learns of it, and the will is published unless the client said
    /// goodbye.
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            let will = self.will.take();
            let turn = self.broker.turn();
            self.broker.detach(session, self.number, will, self.heard);
            // When it cannot be written, there is nobody left to be told.
            self.broker.write(turn.as_ref());
        }
        self.broker
            .store
            .give_back(mem::replace(&mut self.own, Own::Nothing));
    }
}

#[cfg(test)]
mod tests;
