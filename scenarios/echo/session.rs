//! The conversation of an echo client: numbered messages with a checksum, expected back in order.
//!
//! A message is its number, its intended time, a checksum over both and over the connection, then a
//! fixed filling. Messages up to 4 KiB are compared in full. Of larger ones, one in 16 is; of the
//! others the header and both ends of each piece that arrives are, since comparing 64 KiB would cost
//! the generator as much as sending it.

use std::collections::VecDeque;
use std::sync::Arc;

use ringside_contract::{
    Completion, Operation, Outcome, ParamError, Params, ProtocolError, Received, Session,
};

use crate::bytes;

/// Number, intended time and checksum, eight bytes each.
const HEADER: usize = 24;

/// Messages up to this size are compared in full.
const FULL_MAX: usize = 4096;

/// Of larger messages, one in so many is compared in full.
const FULL_ONE_IN: u64 = 16;

/// Bytes compared at each end of a piece of the others.
const SAMPLE: usize = 64;

/// The size of a message.
///
/// # Errors
/// A size that has no room for the header.
pub(crate) fn message_size(params: &Params) -> Result<usize, ParamError> {
    let size = params.size("size");
    match usize::try_from(size) {
        Ok(size) if (HEADER..=1 << 30).contains(&size) => Ok(size),
        _ => Err(ParamError::Conflict {
            because: format!(
                "size={size}B: a message holds a number, a time and a checksum, so it takes from \
                 {HEADER}B to 1GiB"
            ),
        }),
    }
}

/// One connection of an echo client.
pub(crate) struct EchoSession {
    key: u64,
    filling: Arc<[u8]>,
    in_flight: VecDeque<Operation>,
    /// The operation whose answer is being read, once its header was.
    current: Option<Operation>,
    /// Bytes of the answer that were read.
    position: usize,
    intact: bool,
    received: u64,
}

impl EchoSession {
    /// Connection number `connection`, with messages of `size` bytes.
    pub(crate) fn new(size: usize, seed: u64, connection: u32) -> Self {
        Self {
            key: bytes::mix(seed ^ (u64::from(connection) << 32)),
            filling: bytes::shared(seed, size),
            in_flight: VecDeque::new(),
            current: None,
            position: 0,
            intact: true,
            received: 0,
        }
    }

    fn header(&self, operation: &Operation) -> [u8; HEADER] {
        let checksum = bytes::mix(self.key ^ operation.sequence)
            .wrapping_add(bytes::mix(self.key.wrapping_add(operation.intended)));
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&operation.sequence.to_le_bytes());
        header[8..16].copy_from_slice(&operation.intended.to_le_bytes());
        header[16..].copy_from_slice(&checksum.to_le_bytes());
        header
    }

    fn begin_answer(&mut self, header: &[u8]) -> Result<(), ProtocolError> {
        let Some(operation) = self.in_flight.pop_front() else {
            let because = "expected nothing, since all messages were answered; more bytes came";
            return Err(ProtocolError {
                offset: self.received,
                because: because.to_owned(),
            });
        };
        self.intact = header == self.header(&operation);
        self.current = Some(operation);
        self.position = HEADER;
        Ok(())
    }

    fn check(&mut self, sequence: u64, piece: &[u8]) {
        let expected = &self.filling[self.position..self.position + piece.len()];
        let full = self.filling.len() <= FULL_MAX || sequence.is_multiple_of(FULL_ONE_IN);
        self.intact &= if full || piece.len() <= 2 * SAMPLE {
            piece == expected
        } else {
            let end = piece.len() - SAMPLE;
            piece[..SAMPLE] == expected[..SAMPLE] && piece[end..] == expected[end..]
        };
        self.position += piece.len();
    }
}

impl Session for EchoSession {
    fn open(&mut self, _out: &mut Vec<u8>) {
        self.in_flight.clear();
        self.current = None;
        self.position = 0;
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            out.extend_from_slice(&self.header(operation));
            out.extend_from_slice(&self.filling[HEADER..]);
            self.in_flight.push_back(*operation);
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let mut at = 0;
        while at < input.len() {
            if self.current.is_none() {
                let Some(header) = input.get(at..at + HEADER) else {
                    break;
                };
                self.begin_answer(header)?;
                at += HEADER;
            }
            let Some(Operation { sequence, intended }) = self.current else {
                break;
            };
            let length = (self.filling.len() - self.position).min(input.len() - at);
            self.check(sequence, &input[at..at + length]);
            at += length;
            if self.position == self.filling.len() {
                let outcome = if self.intact {
                    Outcome::Ok
                } else {
                    Outcome::Corrupt
                };
                done.push(Completion {
                    sequence,
                    intended,
                    origin: None,
                    outcome,
                });
                self.current = None;
            }
        }
        self.received += at as u64;
        Ok(Received {
            consumed: at,
            ..Received::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn operations(count: u64) -> Vec<Operation> {
        (0..count)
            .map(|sequence| Operation {
                sequence,
                intended: 1000 + sequence,
            })
            .collect()
    }

    /// Feeds `bytes` in pieces of `step` and gives how the operations ended.
    fn feed(session: &mut EchoSession, bytes: &[u8], step: usize) -> Vec<Outcome> {
        let mut done = Vec::new();
        let mut shown = Vec::new();
        for piece in bytes.chunks(step) {
            shown.extend_from_slice(piece);
            let received = session.receive(&shown, &mut Vec::new(), &mut done).unwrap();
            shown.drain(..received.consumed);
        }
        done.iter().map(|completion| completion.outcome).collect()
    }

    proptest! {
        #[test]
        fn messages_come_back_whole_however_they_are_cut(
            size in HEADER..300, count in 1_u64..10, step in 1_usize..400
        ) {
            let mut session = EchoSession::new(size, 7, 3);
            let mut out = Vec::new();
            session.send(&operations(count), &mut out);
            prop_assert_eq!(out.len(), size * count as usize);
            prop_assert_eq!(feed(&mut session, &out, step), vec![Outcome::Ok; count as usize]);
        }

        #[test]
        fn any_wrong_bit_of_a_small_message_is_corrupt(at in 0_usize..64, bit in 0_u8..8) {
            let mut session = EchoSession::new(64, 7, 3);
            let mut out = Vec::new();
            session.send(&operations(1), &mut out);
            out[at] ^= 1 << bit;
            prop_assert_eq!(feed(&mut session, &out, 64), vec![Outcome::Corrupt]);
        }
    }

    #[test]
    fn answers_out_of_order_are_corrupt() {
        let mut session = EchoSession::new(64, 7, 3);
        let mut out = Vec::new();
        session.send(&operations(2), &mut out);
        out.rotate_left(64);
        assert_eq!(feed(&mut session, &out, 1000), [Outcome::Corrupt; 2]);
    }

    #[test]
    fn an_answer_to_nothing_is_an_error() {
        let mut session = EchoSession::new(64, 7, 3);
        let error = session
            .receive(&[0; 64], &mut Vec::new(), &mut Vec::new())
            .unwrap_err();
        assert!(error.because.contains("expected nothing"), "{error}");
    }

    #[test]
    fn a_large_message_in_full_check_shows_a_wrong_byte_in_its_middle() {
        let mut session = EchoSession::new(64 << 10, 7, 3);
        let mut out = Vec::new();
        session.send(&operations(1), &mut out);
        out[30_000] ^= 1;
        assert_eq!(feed(&mut session, &out, out.len()), [Outcome::Corrupt]);
    }

    #[test]
    fn a_new_connection_forgets_what_was_in_flight() {
        let mut session = EchoSession::new(64, 7, 3);
        let mut out = Vec::new();
        session.send(&operations(1), &mut out);
        session.open(&mut Vec::new());
        out.clear();
        session.send(
            &[Operation {
                sequence: 1,
                intended: 5,
            }],
            &mut out,
        );
        assert_eq!(feed(&mut session, &out, 64), [Outcome::Ok]);
    }
}
