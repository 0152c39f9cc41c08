//! The functions of the family, for counts of instructions: a block of keys for each.

use ringside_contract::CountedFunction;
use ringside_engine::Protocol;
use ringside_wire::hash::Block;

use crate::core::{KeyHash, Worker};
use crate::fnv1a::Fnv1a;
use crate::siphash::SipHash;
use crate::xxh3::Xxh3;

/// In the order of reports.
pub(crate) const FUNCTIONS: &[CountedFunction] = &[
    CountedFunction {
        name: "hash/fnv1a",
        prepare: block::<Fnv1a>,
    },
    CountedFunction {
        name: "hash/siphash",
        prepare: block::<SipHash>,
    },
    CountedFunction {
        name: "hash/xxh3",
        prepare: block::<Xxh3>,
    },
];

/// What a worker does with a block of 100 keys of 64 bytes.
fn block<H: KeyHash>() -> Box<dyn FnMut()> {
    let worker = Worker::<H>::default();
    let mut input = Vec::new();
    let block = Block {
        length: 64,
        keys: 100,
        seed: 1,
        tag: 0,
    };
    block.write(&mut input);
    let mut out = Vec::with_capacity(64);
    Box::new(move || {
        out.clear();
        let progress = worker.receive(&mut (), std::hint::black_box(&input), 0, &mut out);
        assert_eq!(progress.consumed, input.len(), "a whole block was taken");
    })
}
