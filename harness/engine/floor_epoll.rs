//! The floor of readiness: `epoll_wait`, `recv`, `send`, and nothing that a right answer does not need.
//! No core, no deadlines, no body modes.

use std::io;
use std::os::fd::OwnedFd;

use ringside_contract::{Counters, Endpoint, Service, StartError};
use ringside_metal::epoll::{CONNECTION, Events, Interest, Poller};
use ringside_metal::socket;

use crate::floor::{FloorReply, Matcher};
use crate::listener::{Listener, Listening};
use crate::service::{Stop, Workers, io_error};
use crate::slots::Slots;
use crate::{EngineOptions, connection::LOOP_INPUT};

/// Starts one loop that gives `reply`.
///
/// # Errors
/// [`StartError`]: the address cannot be used or the processor cannot be had.
pub fn start(reply: FloorReply, options: &EngineOptions) -> Result<Box<dyn Service>, StartError> {
    let listener = Listener::open(options.serve.listen, Listening::default(), &options.serve)?;
    let addresses = vec![listener.address()];
    let mut workers = Workers::new()?;
    let floor = Floor::new(listener, reply, workers.stop_signal())
        .map_err(|source| io_error("set up the event loop", source))?;
    let cpus: Vec<usize> = options.cpu(0).into_iter().collect();
    workers.spawn(&cpus, move |_| floor.run())?;
    Ok(workers.into_service(Endpoint {
        addresses,
        workers: 1,
        chosen: String::new(),
    }))
}

const LISTENER: u64 = u64::MAX;
const STOP: u64 = u64::MAX - 1;

struct Floor {
    reply: FloorReply,
    poller: Poller,
    listener: Listener,
    slots: Slots<Client>,
    input: Vec<u8>,
    /// Replies to several requests of one read.
    several: Vec<u8>,
    accepted: u64,
    /// No descriptor was left: nothing is accepted until a connection is closed.
    paused: bool,
}

struct Client {
    socket: OwnedFd,
    matcher: Matcher,
    /// What the socket did not take.
    unsent: Vec<u8>,
    /// Input waits, but replies come first; or the read buffer was full.
    readable: bool,
}

impl Floor {
    fn new(listener: Listener, reply: FloorReply, stop: &Stop) -> io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&listener, LISTENER, Interest::IN)?;
        poller.add(stop, STOP, Interest::IN)?;
        let input = vec![0; LOOP_INPUT];
        let (slots, several) = (Slots::new(), Vec::new());
        Ok(Self {
            reply,
            poller,
            listener,
            slots,
            input,
            several,
            accepted: 0,
            paused: false,
        })
    }

    fn run(mut self) -> io::Result<Counters> {
        let mut events = Events::with_capacity(1024);
        loop {
            self.poller.wait(&mut events, None)?;
            for index in 0..events.len() {
                match events.event(index) {
                    (LISTENER, _) => self.accept(),
                    (STOP, _) => {
                        return Ok(Counters::from([("accepted".to_owned(), self.accepted)]));
                    }
                    (key, seen) => self.ready(key, seen),
                }
            }
        }
    }

    /// Accepts all who wait. Level-triggered: who comes later is reported again.
    fn accept(&mut self) {
        loop {
            match socket::accept(&self.listener, false) {
                Ok(socket) => self.open(socket),
                Err(error) if socket::out_of_resources(&error) => return self.pause(true),
                Err(_) => return,
            }
        }
    }

    fn open(&mut self, socket: OwnedFd) {
        self.accepted += 1;
        let matcher = Matcher::new(&self.reply);
        let client = Client {
            socket,
            matcher,
            unsent: Vec::new(),
            readable: false,
        };
        let key = self.slots.insert(client);
        let watched = self
            .slots
            .value_mut(key)
            .map(|c| self.poller.add(&c.socket, key, CONNECTION));
        if !matches!(watched, Some(Ok(()))) {
            self.slots.remove(key);
        }
    }

    /// Those who wait stay in the backlog; watching them meanwhile would only spin.
    fn pause(&mut self, paused: bool) {
        let interest = if paused {
            Interest::empty()
        } else {
            Interest::IN
        };
        if self
            .poller
            .modify(&self.listener, LISTENER, interest)
            .is_ok()
        {
            self.paused = paused;
        }
    }

    #[inline]
    fn ready(&mut self, key: u64, seen: Interest) {
        let Some(client) = self.slots.value_mut(key) else {
            return;
        };
        let closing = Interest::RDHUP | Interest::HUP | Interest::ERR;
        client.readable |= seen.intersects(Interest::IN | closing);
        let ending = seen.intersects(closing);
        let (input, several) = (&mut self.input, &mut self.several);
        if client.serve(&self.reply, input, several, ending).is_err() {
            self.slots.remove(key);
            if self.paused {
                self.pause(false);
            }
        }
    }
}

impl Client {
    /// Reads and replies until the socket is empty or full. An error means that it is to be closed.
    #[inline]
    fn serve(
        &mut self,
        reply: &FloorReply,
        input: &mut [u8],
        several: &mut Vec<u8>,
        ending: bool,
    ) -> io::Result<()> {
        if !self.unsent.is_empty() {
            let sent = some(socket::send(&self.socket, &self.unsent, false))?;
            self.unsent.drain(..sent);
        }
        while self.readable && self.unsent.is_empty() {
            let count = match socket::recv(&self.socket, input) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                answer => some(answer)?,
            };
            self.readable = count == input.len() || (ending && count > 0);
            let bytes = self.answer(reply, &input[..count], several);
            if !bytes.is_empty() {
                let sent = some(socket::send(&self.socket, bytes, false))?;
                self.unsent.extend_from_slice(&bytes[sent..]);
            }
        }
        Ok(())
    }

    #[inline]
    fn answer<'a>(
        &mut self,
        reply: &'a FloorReply,
        input: &'a [u8],
        several: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        let FloorReply::Canned { reply, .. } = reply else {
            return input;
        };
        match self.matcher.count(input) {
            0 => &[],
            1 => reply,
            count => {
                several.clear();
                for _ in 0..count {
                    several.extend_from_slice(reply);
                }
                several
            }
        }
    }
}

/// A socket that takes or gives nothing now did so with 0 bytes.
#[inline]
fn some(answer: io::Result<usize>) -> io::Result<usize> {
    match answer {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        answer => answer,
    }
}
