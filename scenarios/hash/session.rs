//! The conversation with a worker that hashes: a few blocks, asked for again and again, whose sums must never
//! change. Which sums are right is the function's business, and the conformance cases'.

use std::collections::VecDeque;

use ringside_contract::{Completion, Operation, Outcome, ProtocolError, Received, Session};
use ringside_wire::hash::{ANSWER_BYTES, Answer, Block};

use crate::bytes;

/// Blocks that differ in their keys.
const BLOCKS: usize = 16;

/// One connection.
pub(crate) struct HashSession {
    block: Block,
    seed: u64,
    /// The sum of each block, once it came.
    sums: [Option<u64>; BLOCKS],
    in_flight: VecDeque<Operation>,
    received: u64,
}

impl HashSession {
    /// A session that asks for blocks of this size.
    pub(crate) fn new(block: Block, seed: u64) -> Self {
        Self {
            block,
            seed: bytes::mix(seed),
            sums: [None; BLOCKS],
            in_flight: VecDeque::new(),
            received: 0,
        }
    }

    fn block_of(&self, operation: Operation) -> Block {
        Block {
            seed: bytes::mix(self.seed.wrapping_add(number(operation) as u64)),
            tag: operation.sequence,
            ..self.block
        }
    }

    fn outcome(&mut self, operation: Operation, answer: Option<Answer>) -> Outcome {
        match answer {
            Some(Answer::Sum { tag, sum }) if tag == operation.sequence => {
                let known = self.sums[number(operation)].get_or_insert(sum);
                if *known == sum {
                    Outcome::Ok
                } else {
                    Outcome::Corrupt
                }
            }
            Some(Answer::Refused { tag }) if tag == operation.sequence => Outcome::Refused,
            _ => Outcome::Corrupt,
        }
    }
}

/// Which of the blocks an operation asks for.
fn number(operation: Operation) -> usize {
    (operation.sequence % BLOCKS as u64) as usize
}

impl Session for HashSession {
    fn open(&mut self, _out: &mut Vec<u8>) {
        self.in_flight.clear();
    }

    fn send(&mut self, operations: &[Operation], out: &mut Vec<u8>) {
        for operation in operations {
            self.block_of(*operation).write(out);
            self.in_flight.push_back(*operation);
        }
    }

    fn receive(
        &mut self,
        input: &[u8],
        _out: &mut Vec<u8>,
        done: &mut Vec<Completion>,
    ) -> Result<Received, ProtocolError> {
        let mut consumed = 0;
        while let Some(bytes) = input[consumed..].first_chunk::<ANSWER_BYTES>() {
            let Some(operation) = self.in_flight.pop_front() else {
                return Err(ProtocolError {
                    offset: self.received + consumed as u64,
                    because: "expected nothing, since all blocks were answered; more bytes came"
                        .to_owned(),
                });
            };
            consumed += ANSWER_BYTES;
            done.push(Completion {
                sequence: operation.sequence,
                intended: operation.intended,
                origin: None,
                outcome: self.outcome(operation, Answer::read(bytes)),
            });
        }
        self.received += consumed as u64;
        Ok(Received {
            consumed,
            ..Received::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use ringside_wire::hash::BLOCK_BYTES;

    use super::*;

    fn session() -> HashSession {
        let block = Block {
            length: 64,
            keys: 3,
            seed: 0,
            tag: 0,
        };
        HashSession::new(block, 7)
    }

    /// Asks for `count` blocks from number `first` on, answers them with `answer` and gives how they ended.
    fn ask(
        session: &mut HashSession,
        first: u64,
        count: u64,
        answer: impl Fn(Block, &mut Vec<u8>),
    ) -> Vec<Outcome> {
        let operations: Vec<_> = (first..first + count)
            .map(|sequence| Operation {
                sequence,
                intended: sequence,
            })
            .collect();
        let (mut out, mut came) = (Vec::new(), Vec::new());
        session.send(&operations, &mut out);
        for bytes in out.as_chunks::<BLOCK_BYTES>().0 {
            answer(Block::read(bytes).unwrap(), &mut came);
        }
        let (mut done, mut shown) = (Vec::new(), Vec::new());
        for piece in came.chunks(7) {
            shown.extend_from_slice(piece);
            let received = session.receive(&shown, &mut Vec::new(), &mut done).unwrap();
            shown.drain(..received.consumed);
        }
        done.iter().map(|completion| completion.outcome).collect()
    }

    fn sum(block: Block, out: &mut Vec<u8>) {
        let (tag, sum) = (block.tag, block.seed ^ 5);
        Answer::Sum { tag, sum }.write(out);
    }

    #[test]
    fn the_same_block_has_to_have_the_same_sum() {
        let mut session = session();
        assert_eq!(ask(&mut session, 0, 40, sum), [Outcome::Ok; 40]);
        let other = |block: Block, out: &mut Vec<u8>| {
            let (tag, sum) = (block.tag, block.seed ^ 6);
            Answer::Sum { tag, sum }.write(out);
        };
        assert_eq!(ask(&mut session, 40, 2, other), [Outcome::Corrupt; 2]);
        session.open(&mut Vec::new());
        assert_eq!(ask(&mut session, 42, 1, sum), [Outcome::Ok]);
        assert_eq!(
            ask(&mut session, 43, 1, other),
            [Outcome::Corrupt],
            "a new connection changes no sum"
        );
    }

    #[test]
    fn an_answer_to_another_block_or_of_another_form_is_corrupt() {
        let swapped = |mut block: Block, out: &mut Vec<u8>| {
            block.tag ^= 1;
            sum(block, out);
        };
        assert_eq!(ask(&mut session(), 0, 2, swapped), [Outcome::Corrupt; 2]);
        let garbage = |_: Block, out: &mut Vec<u8>| out.extend_from_slice(&[b'x'; ANSWER_BYTES]);
        assert_eq!(ask(&mut session(), 0, 1, garbage), [Outcome::Corrupt]);
    }

    #[test]
    fn a_refusal_is_one_and_an_answer_to_nothing_an_error() {
        let refused =
            |block: Block, out: &mut Vec<u8>| Answer::Refused { tag: block.tag }.write(out);
        let mut session = session();
        assert_eq!(ask(&mut session, 0, 1, refused), [Outcome::Refused]);
        let error = session
            .receive(&[0; ANSWER_BYTES], &mut Vec::new(), &mut Vec::new())
            .unwrap_err();
        assert!(error.because.contains("expected nothing"), "{error}");
    }
}
