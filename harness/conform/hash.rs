//! Hash functions: what every one has to do, and ([`quality`]) what a good one does.

mod avalanche;
mod keys;
mod spread;

use ringside_contract::operations::hash::HashFunction;

use crate::case::{Case, Failure, ensure};
use crate::in_process::{asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// What is asked of a good hash function. One that fails is timed all the same, and not to be chosen.
pub fn quality() -> &'static [Case] {
    QUALITY
}

/// Runs a case of either kind in this process.
///
/// # Errors
/// What the function did wrong, or that there is no such case.
pub fn run(name: &str, function: &dyn HashFunction) -> Result<(), Failure> {
    match name {
        "gives_the_same_hash_again" => gives_the_same_hash_again(function),
        "reads_the_key_alone" => reads_the_key_alone(function),
        "gives_threads_the_same_hash" => gives_threads_the_same_hash(function),
        "each_bit_counts" => avalanche::each_bit_counts(function),
        "each_bit_moves_half_of_the_hash" => avalanche::each_bit_moves_half_of_the_hash(function),
        "keys_do_not_collide" => spread::keys_do_not_collide(function),
        "keys_fill_buckets_evenly" => spread::keys_fill_buckets_evenly(function),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "gives_the_same_hash_again",
        "Keys of 0 to 300 bytes have the same hash each time, in whatever order they come."
    ),
    asked!(
        "reads_the_key_alone",
        "A key has one hash wherever it lies in memory and whatever lies before and behind it."
    ),
    asked!(
        "gives_threads_the_same_hash",
        "Threads that hash the same keys at the same time get the same hashes."
    ),
];

const QUALITY: &[Case] = &[
    asked!(
        "keys_do_not_collide",
        "Names, addresses, identifiers, documents and sentences have no more equal hashes, and halves of hashes, than chance \
         gives."
    ),
    asked!(
        "keys_fill_buckets_evenly",
        "By the highest and by the lowest ten bits of their hashes, such keys fill 1,024 buckets as chance does."
    ),
    asked!(
        "each_bit_counts",
        "No bit of a key is without a say: for each there is a key whose hash changes with it."
    ),
    asked!(
        "each_bit_moves_half_of_the_hash",
        "When one bit of a key changes, each bit of the hash changes in half of the cases, within what chance allows in \
         100,000 of short keys and in fewer of long ones."
    ),
];

const LENGTHS: std::ops::RangeInclusive<usize> = 0..=300;

fn gives_the_same_hash_again(function: &dyn HashFunction) -> Result<(), Failure> {
    let bytes = keys::random_bytes(*LENGTHS.end());
    let first: Vec<u64> = LENGTHS
        .map(|length| function.hash(&bytes[..length]))
        .collect();
    for length in LENGTHS.rev() {
        let again = function.hash(&bytes[..length]);
        ensure(again == first[length], || {
            format!(
                "a key of {length} bytes had the hash {:#x}, and then {again:#x}",
                first[length]
            )
        })?;
    }
    Ok(())
}

fn reads_the_key_alone(function: &dyn HashFunction) -> Result<(), Failure> {
    let bytes = keys::random_bytes(*LENGTHS.end());
    for length in LENGTHS {
        let key = &bytes[..length];
        let expected = function.hash(key);
        for (place, around) in (0..64).zip([0_u8, 0xff, 0x55].into_iter().cycle()) {
            let mut memory = vec![around; place + length + 64];
            memory[place..place + length].copy_from_slice(key);
            let found = function.hash(&memory[place..place + length]);
            ensure(found == expected, || {
                format!(
                    "a key of {length} bytes has the hash {expected:#x}, and {found:#x} at place {place} among bytes {around:#x}"
                )
            })?;
        }
    }
    Ok(())
}

fn gives_threads_the_same_hash(function: &dyn HashFunction) -> Result<(), Failure> {
    let bytes = keys::random_bytes(*LENGTHS.end());
    let all = || LENGTHS.map(|length| function.hash(&bytes[..length]));
    let expected: Vec<u64> = all().collect();
    let agreed = together(|_| (0..50).all(|_| all().eq(expected.iter().copied())))?;
    ensure(agreed.iter().all(|agreed| *agreed), || {
        "a thread got another hash of a key than the one before it".to_owned()
    })
}
