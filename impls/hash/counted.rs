//! The functions of the family, for counts of instructions: 100 keys of 64 bytes for each.

use std::hint::black_box;

use ringside_contract::CountedFunction;

use super::fnv1a::Fnv1a;
use super::rapidhash::RapidHash;
use super::siphash::SipHash;
use super::work::NamedHash;
use super::xxh3::Xxh3;
use crate::script::Random;

/// In the order of reports. Those that need instructions of the processor are missing: what counts may not know them.
pub(super) const FUNCTIONS: &[CountedFunction] = &[
    CountedFunction {
        name: "hash/fnv1a",
        prepare: keys::<Fnv1a>,
    },
    CountedFunction {
        name: "hash/siphash",
        prepare: keys::<SipHash>,
    },
    CountedFunction {
        name: "hash/xxh3",
        prepare: keys::<Xxh3>,
    },
    CountedFunction {
        name: "hash/rapidhash",
        prepare: keys::<RapidHash>,
    },
];

/// What a table does with its keys before it looks for them.
fn keys<H: NamedHash>() -> Box<dyn FnMut()> {
    const LENGTH: usize = 64;
    let function = H::find().expect("it needs no instruction that a processor may lack");
    let mut random = Random::new(1, 0);
    let words = (0..100 * LENGTH / 8).flat_map(|_| random.word().to_le_bytes());
    let bytes: Vec<u8> = words.collect();
    Box::new(move || {
        ringside_metal::plant::operations(100);
        let hashes = bytes.chunks_exact(LENGTH).map(|key| function.hash(key));
        black_box(hashes.fold(0, |sum: u64, hash| sum.rotate_left(5) ^ hash));
    })
}
