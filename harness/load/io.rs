//! Bytes in and out of one connection, and what its session makes of them.

use std::cmp::Reverse;

use ringside_contract::{Operation, Outcome, Received};
use ringside_metal::monotonic_ns;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::connection::{Connection, Flying, State, parts};
use crate::pacing::LATE_NS;
use crate::worker::Worker;

/// Reads of one connection before the others have their turn: 16 times 256 KiB is what a large
/// transfer brings at most.
const READS_MAX: usize = 16;

/// A throttled connection reads in so many pieces a second.
const PIECES_PER_S: u64 = 50;

/// What one read found.
enum Read {
    /// There is nothing to read, or the connection may not or cannot read now.
    Blocked,
    /// It took everything that was there.
    Drained,
    /// There may be more.
    More,
}

impl Worker<'_> {
    /// Reads what has come. After a hang-up it reads until it has seen the end.
    pub(crate) fn readable(&mut self, index: usize, hangup: bool) {
        for _ in 0..READS_MAX {
            match self.read_once(index) {
                Read::Blocked => return,
                Read::Drained if !hangup => return,
                Read::Drained | Read::More => {}
            }
        }
        self.again.push(self.connections[index].token(index));
    }

    /// Goes on with the connections that had more to read than one turn takes.
    pub(crate) fn read_again(&mut self) {
        for token in std::mem::take(&mut self.again) {
            let (index, generation) = parts(token);
            if self.connections[index].generation == generation {
                // As after a hang-up: with edges, nothing would tell of an end already reported.
                self.readable(index, true);
            }
        }
    }

    fn read_once(&mut self, index: usize) -> Read {
        let Some(limit) = self.read_limit(index) else {
            return Read::Blocked;
        };
        let connection = &mut self.connections[index];
        let Some(socket) = &connection.socket else {
            return Read::Blocked;
        };
        let discarding = connection.discard > 0;
        let (buffer, wanted, flags) = if discarding {
            let wanted = usize::try_from(connection.discard).unwrap_or(usize::MAX);
            (&mut self.buffers.sink, wanted, RecvFlags::TRUNC)
        } else {
            (&mut self.buffers.input, usize::MAX, RecvFlags::empty())
        };
        let wanted = wanted.min(limit).min(buffer.len());
        match recv(socket, &mut buffer[..wanted], flags) {
            Ok((_, 0)) => {
                self.peer_closed(index);
                Read::Blocked
            }
            Ok((_, length)) => {
                self.tallies[self.bin].received += length as u64;
                connection.received += length as u64;
                self.throttle(index, length);
                if discarding {
                    self.discarded(index, length as u64);
                } else {
                    self.feed(index, length);
                }
                if length < wanted {
                    Read::Drained
                } else {
                    Read::More
                }
            }
            Err(Errno::AGAIN) => Read::Blocked,
            Err(Errno::INTR) => Read::More,
            Err(error) => {
                self.lose(index, || format!("failed to receive: {error}"));
                Read::Blocked
            }
        }
    }

    /// Bytes that a connection may read now; `None` when it has to wait, for which it is parked, or has
    /// stopped for good.
    fn read_limit(&mut self, index: usize) -> Option<usize> {
        let connection = &self.connections[index];
        let reading = self.setup.plan.connections - self.setup.plan.stalled;
        if connection.number >= reading && connection.state == State::Open {
            return None;
        }
        let Some(rate) = self.setup.plan.sockets.read_bytes_per_s else {
            return Some(usize::MAX);
        };
        let connection = &mut self.connections[index];
        if connection.read_after > monotonic_ns() {
            if !connection.parked {
                connection.parked = true;
                self.parked
                    .push(Reverse((connection.read_after, connection.token(index))));
            }
            return None;
        }
        Some(
            usize::try_from(rate / PIECES_PER_S)
                .unwrap_or(usize::MAX)
                .max(1),
        )
    }

    /// Sets when a throttled connection may read again after it has read `length` bytes.
    fn throttle(&mut self, index: usize, length: usize) {
        let Some(rate) = self.setup.plan.sockets.read_bytes_per_s else {
            return;
        };
        let connection = &mut self.connections[index];
        let pause = length as u64 * 1_000_000_000 / rate.max(1);
        connection.read_after = connection.read_after.max(monotonic_ns()) + pause;
    }

    /// The kernel threw `length` bytes away. After the last of them the session has its turn.
    fn discarded(&mut self, index: usize, length: u64) {
        let connection = &mut self.connections[index];
        connection.discard -= length;
        if connection.discard == 0 {
            self.feed(index, 0);
        }
    }

    /// Shows the session the first `length` bytes of the input, counts what ended, starts what there is
    /// room for, and sends everything at once.
    fn feed(&mut self, index: usize, length: usize) {
        let connection = &mut self.connections[index];
        let buffers = &mut self.buffers;
        buffers.out.clear();
        buffers.done.clear();
        let fed = if connection.rest.is_empty() {
            show(
                connection,
                &buffers.input[..length],
                &mut buffers.out,
                &mut buffers.done,
            )
        } else {
            let mut input = std::mem::take(&mut connection.rest);
            input.extend_from_slice(&buffers.input[..length]);
            show(connection, &input, &mut buffers.out, &mut buffers.done)
        };
        let now = monotonic_ns();
        self.account(index, now);
        match fed {
            Ok(false) => {
                self.welcome(index);
                self.refill(index, now);
                self.flush(index);
                self.refill_origins(now);
            }
            Ok(true) => {
                // The session may have a last word.
                self.flush(index);
                // A failure of that has closed it, and has it opened again already.
                if self.connections[index].socket.is_some() {
                    self.replace(index);
                }
            }
            Err(because) => self.lose(index, || because),
        }
    }

    /// Counts the operations in `done`.
    pub(crate) fn account(&mut self, index: usize, now: u64) {
        if self.buffers.done.is_empty() {
            return;
        }
        let connection = &mut self.connections[index];
        let tally = &mut self.tallies[self.bin];
        let done = &self.buffers.done;
        if done.iter().all(|ended| ended.outcome == Outcome::Ok) {
            tally.answers += done.len() as u64;
            tally.answer_bytes += connection.received;
        }
        connection.received = 0;
        let timeout_ns = self.setup.plan.timeout.as_nanos();
        for completion in self.buffers.done.drain(..) {
            // A load whose operations end elsewhere has one thread, which has all connections in order.
            let origin = completion.origin.map_or(index, |number| number as usize);
            let Some(connection) = self.connections.get_mut(origin) else {
                tally.corrupt += 1;
                continue;
            };
            self.in_flight -= u64::from(connection.land(completion.intended));
            connection.progress_at = now;
            if origin != index && self.origins.last() != Some(&origin) {
                self.origins.push(origin);
            }
            let latency = now.saturating_sub(completion.intended);
            let in_time = u128::from(latency) <= timeout_ns;
            tally.operations += 1;
            match completion.outcome {
                Outcome::Ok => tally.right += u64::from(in_time),
                Outcome::Refused => tally.errors += 1,
                Outcome::Corrupt => tally.corrupt += 1,
            }
            tally.timeouts += u64::from(!in_time);
            if let Some(latencies) = &mut tally.latencies {
                latencies.record(latency);
            }
        }
        self.connections[index].progress_at = now;
    }

    /// Starts operations on those connections whose operations ended on another.
    fn refill_origins(&mut self, now: u64) {
        while let Some(origin) = self.origins.pop() {
            self.buffers.out.clear();
            self.refill(origin, now);
            self.flush(origin);
        }
    }

    /// Starts as many operations as the connection's window has room for. Their bytes are appended to
    /// `out`.
    pub(crate) fn refill(&mut self, index: usize, now: u64) {
        if !self.running || index >= self.pacing.active() {
            return;
        }
        let connection = &mut self.connections[index];
        if connection.state != State::Open {
            return;
        }
        let operations = &mut self.buffers.operations;
        operations.clear();
        let open_loop = self.pacing.is_open_loop();
        for _ in connection.in_flight()..self.pacing.window {
            let intended = if open_loop {
                let Some(waiting) = connection.waiting.pop_front() else {
                    break;
                };
                let waited = now.saturating_sub(waiting.since) > LATE_NS;
                self.tallies[self.bin].waited += u64::from(waited);
                waiting.intended
            } else {
                now
            };
            operations.push(Operation {
                sequence: connection.sequence,
                intended,
            });
            connection.sequence += 1;
        }
        if operations.is_empty() {
            return;
        }
        if connection.flying.is_empty() {
            connection.progress_at = now;
        }
        let left = self.setup.plan.deliveries;
        let flying = operations.iter().map(|operation| Flying {
            intended: operation.intended,
            left,
        });
        connection.flying.extend(flying);
        self.in_flight += operations.len() as u64;
        connection.session.send(operations, &mut self.buffers.out);
    }

    /// Sends `out`; what the socket does not take is kept.
    pub(crate) fn flush(&mut self, index: usize) {
        let out = &self.buffers.out;
        let connection = &mut self.connections[index];
        let Some(socket) = &connection.socket else {
            return;
        };
        if out.is_empty() {
            return;
        }
        if !connection.unsent.is_empty() {
            connection.unsent.extend_from_slice(out);
            return;
        }
        match send(socket, out, SendFlags::NOSIGNAL) {
            Ok(sent) => {
                self.tallies[self.bin].sent += sent as u64;
                connection.unsent.extend_from_slice(&out[sent..]);
            }
            Err(Errno::AGAIN | Errno::INTR) => connection.unsent.extend_from_slice(out),
            Err(error) => self.lose(index, || format!("failed to send: {error}")),
        }
    }

    /// Sends what was kept, as far as the socket takes it.
    pub(crate) fn flush_unsent(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        let Some(socket) = &connection.socket else {
            return;
        };
        match send(socket, &connection.unsent, SendFlags::NOSIGNAL) {
            Ok(sent) => {
                self.tallies[self.bin].sent += sent as u64;
                connection.unsent.drain(..sent);
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => self.lose(index, || format!("failed to send: {error}")),
        }
    }
}

/// Shows `input` to the session until it has taken what it can, and keeps the rest. True when the
/// session wants another connection; an error is its protocol error in words.
fn show(
    connection: &mut Connection,
    input: &[u8],
    out: &mut Vec<u8>,
    done: &mut Vec<ringside_contract::Completion>,
) -> Result<bool, String> {
    let mut at = 0;
    loop {
        let Received {
            consumed,
            discard,
            reconnect,
        } = connection
            .session
            .receive(&input[at..], out, done)
            .map_err(|error| error.to_string())?;
        at = (at + consumed).min(input.len());
        if reconnect {
            return Ok(true);
        }
        if discard > 0 {
            let here = discard.min((input.len() - at) as u64);
            at += here as usize;
            connection.discard = discard - here;
            if connection.discard == 0 {
                continue;
            }
        }
        connection.rest.clear();
        connection.rest.extend_from_slice(&input[at..]);
        return Ok(false);
    }
}
