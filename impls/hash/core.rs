//! The worker of the family: hashes blocks of keys on command (`wire/hash.rs`). A file for each function
//! names what is called for a key; the call is compiled into the loop over a block.

use ringside_contract::{ServeOptions, Service, StartError};
use ringside_engine::{EngineOptions, Millis, Progress, Protocol, Step, blocking, plant};
use ringside_wire::hash::{Answer, BLOCK_BYTES, Block, Table, fold};

/// A hash function of 64 bits.
pub(crate) trait KeyHash: Send + Sync + 'static {
    /// The hash of these bytes.
    fn hash(key: &[u8]) -> u64;
}

/// Starts a worker with a thread for each connection: blocks are long, and what carries them is no matter.
///
/// # Errors
/// [`StartError`]: the engine's.
pub(crate) fn start<H: KeyHash>(options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
    blocking::start(Worker::<H>::default(), &EngineOptions::new(options)?)
}

/// Hashes blocks.
pub(crate) struct Worker<H> {
    table: Table,
    function: std::marker::PhantomData<H>,
}

impl<H> Default for Worker<H> {
    fn default() -> Self {
        Self {
            table: Table::default(),
            function: std::marker::PhantomData,
        }
    }
}

impl<H: KeyHash> Worker<H> {
    fn sum(&self, block: &Block) -> u64 {
        plant::operations(block.keys.into());
        // Within the bounds of a block, so it fits.
        let length = block.length as usize;
        let places = (0..u64::from(block.keys)).map(|index| block.seed.wrapping_add(index));
        places.fold(0, |sum, place| {
            fold(sum, H::hash(self.table.key(place, length)))
        })
    }
}

impl<H: KeyHash> Protocol for Worker<H> {
    type Connection = ();

    fn open(&self, _now: Millis) {}

    fn receive(
        &self,
        _connection: &mut (),
        input: &[u8],
        _now: Millis,
        out: &mut Vec<u8>,
    ) -> Progress {
        let mut consumed = 0;
        while let Some(bytes) = input[consumed..].first_chunk::<BLOCK_BYTES>() {
            consumed += BLOCK_BYTES;
            match Block::read(bytes) {
                Ok(block) => {
                    let (tag, sum) = (block.tag, self.sum(&block));
                    Answer::Sum { tag, sum }.write(out);
                }
                Err(refusal) => {
                    // Where the next block would begin is unknown.
                    refusal.write(out);
                    return Progress {
                        consumed: input.len(),
                        step: Step::Close,
                    };
                }
            }
        }
        Progress {
            consumed,
            step: Step::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows the whole key, so that sums tell which keys were hashed.
    struct Bytes;

    impl KeyHash for Bytes {
        fn hash(key: &[u8]) -> u64 {
            key.iter().map(|&byte| u64::from(byte)).sum()
        }
    }

    fn answers(out: &[u8]) -> Vec<Option<Answer>> {
        let chunks = out.as_chunks().0.iter();
        chunks.map(Answer::read).collect()
    }

    #[test]
    fn blocks_are_answered_in_order_wherever_the_input_is_cut() {
        let worker = Worker::<Bytes>::default();
        let mut input = Vec::new();
        let blocks = [(64, 3, 7), (1, 1, 0), (100, 2, u64::MAX)];
        for (tag, (length, keys, seed)) in (0..).zip(blocks) {
            Block {
                length,
                keys,
                seed,
                tag,
            }
            .write(&mut input);
        }
        let expected: Vec<_> = (0..)
            .zip(blocks)
            .map(|(tag, (length, keys, seed))| {
                let key = |index| {
                    let place = seed.wrapping_add(index);
                    Bytes::hash(worker.table.key(place, length as usize))
                };
                let sum = (0..u64::from(keys)).fold(0, |sum, index| fold(sum, key(index)));
                Some(Answer::Sum { tag, sum })
            })
            .collect();
        for cut in 0..=input.len() {
            let mut out = Vec::new();
            let first = worker.receive(&mut (), &input[..cut], 0, &mut out);
            assert_eq!(first.consumed, cut / BLOCK_BYTES * BLOCK_BYTES);
            worker.receive(&mut (), &input[first.consumed..], 0, &mut out);
            assert_eq!(answers(&out), expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_block_is_refused_behind_what_was_asked_before() {
        let worker = Worker::<Bytes>::default();
        let mut input = Vec::new();
        for keys in [1, 0, 1] {
            Block {
                length: 8,
                keys,
                seed: 5,
                tag: keys.into(),
            }
            .write(&mut input);
        }
        let mut out = Vec::new();
        let progress = worker.receive(&mut (), &input, 0, &mut out);
        assert!(matches!(progress.step, Step::Close));
        assert_eq!(progress.consumed, input.len());
        let answers = answers(&out);
        assert!(matches!(answers[0], Some(Answer::Sum { tag: 1, .. })));
        assert_eq!(answers[1..], [Some(Answer::Refused { tag: 0 })]);
    }
}
