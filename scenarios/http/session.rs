//! The conversation of an HTTP client that asks for one file again and again.

use std::collections::VecDeque;
use std::sync::Arc;

use ringside_contract::{Completion, Operation, Outcome, ProtocolError, Received, Session};

use super::file::fixture;
use super::head::{Head, Heads};
use crate::bytes;

/// Files up to this size are kept in memory to compare bodies with; they are compared in full, always.
const KEPT_MAX: u64 = 1 << 20;

/// Of the transfers of larger files, one in so many is compared in full.
const FULL_ONE_IN: u64 = 16;

/// How a session uses its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Any number of requests on one connection.
    KeepAlive,
    /// The same, and a first request that is no operation when the connection comes up, so that it is
    /// one that was used and is kept.
    Warmed,
    /// One request on each connection, which the server then closes: that ends the operation.
    Close,
}

/// One connection of an HTTP client.
pub(crate) struct HttpSession {
    usage: Use,
    request: Vec<u8>,
    content: Content,
    connection: u64,
    heads: Heads,
    /// Requests that wait for their answer; `None` is one that is no operation.
    in_flight: VecDeque<Option<Operation>>,
    state: State,
    received: u64,
}

/// What the body must be.
struct Content {
    length: u64,
    key: u64,
    /// All of it, when it is small.
    kept: Option<Arc<[u8]>>,
}

/// What comes next.
#[derive(Debug, Clone, Copy)]
enum State {
    /// The head of an answer.
    Head,
    /// The body of an answer from `position` on.
    Body { answer: Answer, position: u64 },
    /// Nothing: the answer is complete and the server is to close.
    End { outcome: Outcome },
}

#[derive(Debug, Clone, Copy)]
struct Answer {
    head: Head,
    /// How the operation ends if the rest of the body is right.
    outcome: Outcome,
    /// Whether the body is compared, or only its length.
    compare: bool,
}

impl HttpSession {
    /// Connection number `connection`, asking for the file of `length` bytes.
    pub(crate) fn new(length: u64, usage: Use, connection: u32) -> Self {
        let path = fixture(length).path;
        let key = bytes::key_of(&path);
        let kept = usize::try_from(length).ok().filter(|_| length <= KEPT_MAX);
        let close = if usage == Use::Close {
            "Connection: close\r\n"
        } else {
            ""
        };
        Self {
            usage,
            request: format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n{close}\r\n").into_bytes(),
            content: Content {
                length,
                key,
                kept: kept.map(|length| bytes::shared(key, length)),
            },
            connection: u64::from(connection),
            heads: Heads::default(),
            in_flight: VecDeque::new(),
            state: State::Head,
            received: 0,
        }
    }

    fn begin_answer(&mut self, head: Head) -> Result<State, ProtocolError> {
        let Some(&operation) = self.in_flight.front() else {
            return Err(self.error("expected nothing, since all requests were answered"));
        };
        let sequence = operation.map_or(0, |operation| operation.sequence);
        let outcome = match head.status {
            200 if head.body == self.content.length => Outcome::Ok,
            200 => Outcome::Corrupt,
            _ => Outcome::Refused,
        };
        // Connections take turns, so that not all of them compare at the same time.
        let turn = (self.connection + sequence).is_multiple_of(FULL_ONE_IN);
        let compare = outcome == Outcome::Ok && (self.content.kept.is_some() || turn);
        Ok(State::Body {
            answer: Answer {
                head,
                outcome,
                compare,
            },
            position: 0,
        })
    }

    /// The answer is complete. True when the connection must be replaced.
    fn end_answer(&mut self, answer: Answer, done: &mut Vec<Completion>) -> bool {
        if self.usage == Use::Close {
            self.state = State::End {
                outcome: answer.outcome,
            };
            return false;
        }
        self.state = State::Head;
        if let Some(Some(Operation { sequence, intended })) = self.in_flight.pop_front() {
            done.push(Completion {
                sequence,
                intended,
                origin: None,
                outcome: answer.outcome,
            });
        }
        !answer.head.keep_alive
    }

    fn error(&self, because: &str) -> ProtocolError {
        ProtocolError {
            offset: self.received,
            because: because.to_owned(),
        }
    }
}

impl Content {
    fn matches(&self, position: u64, piece: &[u8]) -> bool {
        match &self.kept {
            Some(kept) => {
                let at = position as usize;
                kept.get(at..at + piece.len()) == Some(piece)
            }
            None => bytes::matches(self.key, position, piece),
        }
    }
}

impl Session for HttpSession {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.in_flight.clear();
        self.state = State::Head;
        self.received = 0;
        if self.usage == Use::Warmed {
            out.extend_from_slice(&self.request);
            self.in_flight.push_back(None);
        }
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            out.extend_from_slice(&self.request);
            self.in_flight.push_back(Some(*operation));
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let mut at = 0;
        let mut received = Received::default();
        loop {
            match self.state {
                State::Head => {
                    let head = match input.get(at..) {
                        None | Some([]) => break,
                        Some(rest) => self.heads.read(rest).map_err(|error| ProtocolError {
                            offset: self.received + at as u64 + error.offset,
                            ..error
                        })?,
                    };
                    let Some(head) = head else { break };
                    at += head.length;
                    self.state = self.begin_answer(head)?;
                }
                State::Body {
                    mut answer,
                    position,
                } => {
                    let left = answer.head.body - position;
                    let here = left.min((input.len() - at) as u64);
                    let piece = &input[at..at + here as usize];
                    if answer.compare && !self.content.matches(position, piece) {
                        answer.outcome = Outcome::Corrupt;
                    }
                    at += piece.len();
                    if here == left {
                        received.reconnect = self.end_answer(answer, done);
                        if received.reconnect {
                            break;
                        }
                    } else if answer.compare {
                        self.state = State::Body {
                            answer,
                            position: position + here,
                        };
                        break;
                    } else {
                        // The rest need not be seen: the session hears again when it has come.
                        self.state = State::Body {
                            answer,
                            position: answer.head.body,
                        };
                        received.discard = left - here;
                        break;
                    }
                }
                State::End { .. } if at < input.len() => {
                    return Err(self.error("expected the end of the connection; more bytes came"));
                }
                State::End { .. } => break,
            }
        }
        received.consumed = at;
        self.received += at as u64 + received.discard;
        Ok(received)
    }

    fn closed(&mut self, done: &mut Vec<Completion>) -> bool {
        let State::End { outcome } = self.state else {
            return false;
        };
        if let Some(Some(Operation { sequence, intended })) = self.in_flight.pop_front() {
            done.push(Completion {
                sequence,
                intended,
                origin: None,
                outcome,
            });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(length: u64, extra: &str) -> Vec<u8> {
        let mut bytes =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{extra}\r\n").into_bytes();
        let start = bytes.len();
        bytes.resize(start + length as usize, 0);
        super::super::file::fixture_bytes(&fixture(length), 0, &mut bytes[start..]);
        bytes
    }

    fn asking(length: u64, usage: Use, connection: u32, count: u64) -> HttpSession {
        let mut session = HttpSession::new(length, usage, connection);
        let mut out = Vec::new();
        session.open(&mut out);
        let operations: Vec<_> = (0..count)
            .map(|sequence| Operation {
                sequence,
                intended: sequence,
            })
            .collect();
        session.send(&operations, &mut out);
        session
    }

    /// Plays the driver: pieces of `step` bytes, the rest shown again, discarded bytes left out.
    fn feed(session: &mut HttpSession, bytes: &[u8], step: usize) -> (Vec<Outcome>, u64) {
        let (mut done, mut shown, mut discard, mut discarded) = (Vec::new(), Vec::new(), 0, 0);
        for piece in bytes.chunks(step) {
            shown.extend_from_slice(piece);
            loop {
                let gone = discard.min(shown.len());
                shown.drain(..gone);
                discard -= gone;
                discarded += gone as u64;
                if discard > 0 {
                    break;
                }
                let received = session.receive(&shown, &mut Vec::new(), &mut done).unwrap();
                shown.drain(..received.consumed);
                discard = received.discard as usize;
                if discard == 0 || shown.is_empty() {
                    break;
                }
            }
        }
        (
            done.iter().map(|completion| completion.outcome).collect(),
            discarded,
        )
    }

    proptest! {
        #[test]
        fn answers_are_read_however_they_are_cut(length in 0_u64..3000, count in 1_u64..5, step in 1_usize..4000) {
            let mut session = asking(length, Use::KeepAlive, 1, count);
            let bytes = answer(length, "").repeat(count as usize);
            prop_assert_eq!(feed(&mut session, &bytes, step).0, vec![Outcome::Ok; count as usize]);
        }

        #[test]
        fn large_answers_not_compared_are_discarded(step in 1_000_usize..400_000) {
            let length = 2_000_000;
            let mut session = asking(length, Use::KeepAlive, 1, 2);
            let bytes = answer(length, "").repeat(2);
            let (outcomes, discarded) = feed(&mut session, &bytes, step);
            prop_assert_eq!(outcomes, vec![Outcome::Ok; 2]);
            prop_assert!(discarded > 3_000_000, "{}", discarded);
        }
    }

    #[test]
    fn a_wrong_byte_is_corrupt_in_small_files_and_in_compared_transfers() {
        for (length, connection) in [(1024, 5), (2_000_000, 0)] {
            let mut session = asking(length, Use::KeepAlive, connection, 1);
            let mut bytes = answer(length, "");
            let at = bytes.len() - 10;
            bytes[at] ^= 1;
            assert_eq!(
                feed(&mut session, &bytes, 100_000).0,
                [Outcome::Corrupt],
                "{length}"
            );
        }
    }

    #[test]
    fn another_length_is_corrupt_and_another_status_refused() {
        let mut session = asking(100, Use::KeepAlive, 0, 2);
        let mut bytes = answer(99, "");
        bytes.extend_from_slice(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno");
        assert_eq!(
            feed(&mut session, &bytes, 1000).0,
            [Outcome::Corrupt, Outcome::Refused]
        );
    }

    #[test]
    fn the_end_of_the_connection_ends_a_short_operation() {
        let mut session = asking(100, Use::Close, 0, 1);
        assert!(
            feed(&mut session, &answer(100, "Connection: close\r\n"), 1000)
                .0
                .is_empty()
        );
        let mut done = Vec::new();
        assert!(session.closed(&mut done));
        assert_eq!(done.len(), 1);
    }

    #[test]
    fn an_end_in_the_middle_of_an_answer_is_not_right() {
        let mut session = asking(100, Use::Close, 0, 1);
        feed(&mut session, &answer(100, "")[..80], 1000);
        assert!(!session.closed(&mut Vec::new()));
    }

    #[test]
    fn a_server_that_wants_no_further_request_gets_another_connection() {
        let mut session = asking(10, Use::KeepAlive, 0, 1);
        let mut done = Vec::new();
        let bytes = answer(10, "Connection: close\r\n");
        let received = session.receive(&bytes, &mut Vec::new(), &mut done).unwrap();
        assert!(received.reconnect);
        assert_eq!(done.len(), 1);
    }

    #[test]
    fn the_first_answer_of_a_warmed_connection_is_no_operation() {
        let mut session = asking(10, Use::Warmed, 0, 1);
        let outcomes = feed(&mut session, &answer(10, "").repeat(2), 1000).0;
        assert_eq!(outcomes, [Outcome::Ok]);
    }
}
