//! What happens to connections: they come up, fail, run out of time, close and are opened again.

use std::cmp::Reverse;
use std::mem;

use ringside_metal::monotonic_ns;
use rustix::event::epoll::{self, EventFlags};
use rustix::net::sockopt;

use crate::connection::{Flying, State, parts};
use crate::socket::{Dial, source};
use crate::tables::memory_is_short;
use crate::worker::{Setup, WAKE, Worker};

/// How long to wait before a connection that failed is opened again: a server that is down must not
/// keep the generator busy.
const RETRY_NS: u64 = 10_000_000;

/// Before each so many-th connection the free memory is looked at.
const MEMORY_LOOK: u64 = 1024;

impl Worker<'_> {
    /// Handles one event.
    pub(crate) fn handle(&mut self, token: u64, flags: EventFlags) {
        if token == WAKE {
            return;
        }
        let (index, generation) = parts(token);
        let connection = &self.connections[index];
        if connection.generation != generation {
            return;
        }
        match connection.state {
            State::Closed => {}
            State::Connecting => self.connected(index),
            State::Greeting | State::Open => {
                if !connection.unsent.is_empty() && flags.contains(EventFlags::OUT) {
                    self.flush_unsent(index);
                }
                let hangup = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
                if flags.intersects(EventFlags::IN | hangup) {
                    self.readable(index, flags.intersects(hangup));
                }
            }
        }
    }

    /// Begins as many connections as may be under way at one time.
    pub(crate) fn open_some(&mut self) {
        let threads = u32::try_from(self.setup.threads).unwrap_or(u32::MAX);
        let connecting_max = (self.setup.plan.connecting_max / threads).max(1);
        while self.connecting < connecting_max {
            if !self.running
                && self.opened % MEMORY_LOOK == MEMORY_LOOK - 1
                && let Some(because) = memory_is_short()
            {
                return self.give_up_opening(&because);
            }
            let Some(index) = self.unopened.pop_front() else {
                return;
            };
            self.begin(index as usize);
        }
    }

    /// Opens no more connections.
    fn give_up_opening(&mut self, because: &str) {
        for index in mem::take(&mut self.unopened) {
            self.connect_failed(index as usize, because);
        }
    }

    fn begin(&mut self, index: usize) {
        let options = self.setup.options;
        let connection = &mut self.connections[index];
        let target = options.targets[connection.number as usize % options.targets.len()];
        let Setup {
            per_source,
            threads,
            ..
        } = *self.setup;
        let from = source(target, self.opened, per_source, self.number, threads);
        self.opened += 1;
        let dial = Dial {
            congestion: options.congestion.as_deref(),
            options: &self.setup.plan.sockets,
        };
        let begun = dial.begin(target, from).and_then(|socket| {
            let data = epoll::EventData::new_u64(connection.token(index));
            // Edge-triggered, so that the one registration serves connecting, reading and writing.
            let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            epoll::add(&self.epoll, &socket, data, interest)?;
            Ok(socket)
        });
        match begun {
            Ok(socket) => {
                connection.socket = Some(socket);
                connection.state = State::Connecting;
                connection.progress_at = monotonic_ns();
                self.connecting += 1;
            }
            Err(error) => self.connect_failed(index, &error.to_string()),
        }
    }

    /// A connection that was begun is up, or has failed.
    fn connected(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        let socket = connection
            .socket
            .as_ref()
            .expect("a connecting connection has a socket");
        if let Err(error) = sockopt::socket_error(socket).and_then(|error| error) {
            self.close(index);
            return self.connect_failed(index, &error.to_string());
        }
        connection.state = State::Greeting;
        self.tallies[self.bin].connects += 1;
        self.buffers.out.clear();
        connection.session.open(&mut self.buffers.out);
        self.welcome(index);
        self.refill(index, monotonic_ns());
        self.flush(index);
    }

    /// Counts the connection as open once its session is ready.
    pub(crate) fn welcome(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if connection.state == State::Greeting && connection.session.is_ready() {
            connection.state = State::Open;
            self.connecting -= 1;
            self.open += 1;
            self.welcomed_at = monotonic_ns();
        }
    }

    /// Counts a connection that could not be opened. Before the load it stays closed; under load it is
    /// tried again.
    fn connect_failed(&mut self, index: usize, because: &str) {
        self.tallies[self.bin].connect_failures += 1;
        self.sample(|| format!("failed to connect: {because}"));
        if self.running {
            self.retries
                .push_back((monotonic_ns() + RETRY_NS, index as u32));
        }
    }

    /// The connection is dead: what was in flight on it is lost.
    pub(crate) fn lose(&mut self, index: usize, because: impl FnOnce() -> String) {
        if self.connections[index].state == State::Greeting {
            self.close(index);
            return self.connect_failed(index, &because());
        }
        let lost = self.close(index);
        let tally = &mut self.tallies[self.bin];
        tally.operations += lost;
        tally.errors += lost;
        self.sample(because);
        if self.running {
            self.retries
                .push_back((monotonic_ns() + RETRY_NS, index as u32));
        }
    }

    /// Closes a connection whose work is done and opens another in its place. Operations that end
    /// elsewhere go on without it.
    pub(crate) fn replace(&mut self, index: usize) {
        let elsewhere = self.setup.plan.together;
        let flying = elsewhere.then(|| mem::take(&mut self.connections[index].flying));
        self.close(index);
        self.connections[index]
            .flying
            .extend(flying.into_iter().flatten());
        if self.running {
            self.unopened.push_back(index as u32);
        }
    }

    /// Closes a connection and gives the number of operations that were in flight on it. Each counts with
    /// its time so far, the least that it can have taken: without it a server that stalls and then drops
    /// the connection would have the best percentiles of all (coordinated omission).
    fn close(&mut self, index: usize) -> u64 {
        match self.connections[index].state {
            State::Closed => {}
            State::Connecting | State::Greeting => self.connecting -= 1,
            State::Open => self.open -= 1,
        }
        let flying = self.connections[index].close();
        let lost = flying.len() as u64;
        self.in_flight -= lost;
        if let Some(latencies) = &mut self.tallies[self.bin].latencies {
            let now = monotonic_ns();
            for Flying { intended, .. } in flying {
                latencies.record(now.saturating_sub(intended));
            }
        }
        lost
    }

    /// The peer has closed its side.
    pub(crate) fn peer_closed(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        self.buffers.done.clear();
        let right = connection.session.closed(&mut self.buffers.done);
        self.account(index, monotonic_ns());
        if right && self.connections[index].flying.is_empty() {
            self.replace(index);
        } else {
            self.lose(index, || "the server closed the connection".to_owned());
        }
    }

    /// Does what happens by time.
    pub(crate) fn keep_time(&mut self, now: u64) {
        self.start_due();
        while let Some(&Reverse((at, token))) = self.parked.peek()
            && at <= now
        {
            self.parked.pop();
            let (index, generation) = parts(token);
            let connection = &mut self.connections[index];
            if connection.generation == generation {
                connection.parked = false;
                self.readable(index, false);
            }
        }
        while let Some(&(at, index)) = self.retries.front()
            && at <= now
        {
            self.retries.pop_front();
            self.unopened.push_back(index);
        }
        if now >= self.sweep_at {
            self.find_timeouts(now);
        }
    }

    /// Ends every connection on which nothing ended for the length of the time-out. It looks four times
    /// in that length, so a time-out may be seen a quarter late.
    fn find_timeouts(&mut self, now: u64) {
        let timeout = u64::try_from(self.setup.plan.timeout.as_nanos()).unwrap_or(u64::MAX);
        self.sweep_at = now + (timeout / 4).clamp(1_000_000, 250_000_000);
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            if now.saturating_sub(connection.progress_at) < timeout {
                continue;
            }
            if matches!(connection.state, State::Connecting | State::Greeting) {
                self.close(index);
                self.connect_failed(index, "no answer in time");
                // A server that is full lets clients wait, and each of the rest would wait as long in vain.
                if !self.running && now.saturating_sub(self.welcomed_at) >= timeout {
                    self.give_up_opening(
                        "not tried, since the server opened none for the length of the time-out",
                    );
                }
            } else if !connection.flying.is_empty() {
                // One that is closed is about to be opened again already.
                let was_open = connection.state == State::Open;
                let lost = self.close(index);
                self.tallies[self.bin].timeouts += lost;
                self.sample(|| "an operation had no answer in time".to_owned());
                if self.running && was_open {
                    self.unopened.push_back(index as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use ringside_contract::LoadPlan;
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};

    use crate::testing::{Server, closed, echo, numbers, options, params};
    use crate::{DriveOptions, drive};

    #[test]
    fn a_server_that_lets_everybody_wait_is_not_waited_for_by_each() {
        // It has room for one that waits, and never accepts it: connecting hangs for the others.
        let full = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&full, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        listen(&full, 0).unwrap();
        let target = SocketAddr::try_from(getsockname(&full).unwrap()).unwrap();
        let server = Server::start(|stream| echo(|_| {})(stream));
        let options = DriveOptions {
            targets: vec![target],
            ..options(&server)
        };
        let plan = LoadPlan {
            connecting_max: 4,
            timeout: Duration::from_millis(200),
            ..closed(60, 1)
        };
        let told = match drive(&numbers(plan), &params(), &options) {
            Ok(outcome) => outcome.warnings.join("; "),
            Err(error) => error.to_string(),
        };
        assert!(told.contains("no answer in time"), "{told}");
        assert!(told.contains("not tried, since the server"), "{told}");
    }
}
