//! The conformance cases and the tests of quality of hash functions, over every function, and over some that are wrong.

use std::sync::atomic::{AtomicU64, Ordering};

use ringside_conform::Case;
use ringside_conform::hash::{cases, quality, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::hash::HashFunction;

/// Every function that this processor and this build have.
fn functions() -> Vec<(&'static str, Box<dyn HashFunction>)> {
    let all = ringside_operations::all();
    let tested = all
        .iter()
        .filter_map(|one| match one.tested(&Settings::default()) {
            Ok(Tested::Hash(function)) => Some((one.meta().id, function)),
            _ => None,
        });
    tested.collect()
}

fn failing(cases: &[Case], function: &dyn HashFunction) -> Vec<String> {
    let failed = |case: &Case| {
        let error = run(case.name, function).err()?;
        Some(format!("{}: {error}", case.name))
    };
    cases.iter().filter_map(failed).collect()
}

#[test]
fn every_function_passes_every_case() {
    let functions = functions();
    assert!(functions.len() >= 7, "{}", functions.len());
    for (id, function) in functions {
        assert_eq!(
            failing(cases(), function.as_ref()),
            Vec::<String>::new(),
            "{id}"
        );
    }
}

/// The documents' functions are bad ones, with keys that prove it. FNV-1a leaves its upper bits to the last bytes
/// alone, and the fast form of foldhash says itself that it is for tables, not for statistics.
#[test]
fn good_functions_pass_the_tests_of_quality_and_the_documents_do_not() {
    for (id, function) in functions() {
        let failed = failing(quality(), function.as_ref());
        let is_bad = [
            "hash/fnv1a",
            "hash/foldhash",
            "hash/crc32_doc",
            "hash/avx2_doc",
        ]
        .contains(&id);
        assert_eq!(failed.is_empty(), !is_bad, "{id}: {failed:#?}");
        if id == "hash/crc32_doc" {
            let proof = |said: &String| {
                said.contains("18 of 300000 sentences have the hash of another one")
                    && said.contains("both have")
            };
            assert!(failed.iter().any(proof), "{failed:#?}");
        }
        if id == "hash/avx2_doc" {
            let proof = |said: &String| {
                said.contains("99999 of 100000 documents have the hash")
                    && said.contains("both have")
            };
            assert!(failed.iter().any(proof), "{failed:#?}");
        }
    }
}

/// A hash function without a state.
type Plain = fn(&[u8]) -> u64;

struct Wrong(Plain);

impl HashFunction for Wrong {
    fn hash(&self, key: &[u8]) -> u64 {
        (self.0)(key)
    }
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// A good hash: the polynomial of the bytes, well mixed.
fn good(key: &[u8]) -> u64 {
    let start = (key.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    key.iter().fold(start, |hash, &byte| {
        let mixed = (hash ^ u64::from(byte)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 32)
    })
}

#[test]
fn a_function_that_is_wrong_fails_the_case_that_asks_for_it() {
    let all = || cases().iter().chain(quality());
    assert!(all().all(|case| run(case.name, &Wrong(good)).is_ok()));
    let wrong: [(&str, Plain); 7] = [
        ("gives_the_same_hash_again", |key| {
            good(key) ^ (CALLS.fetch_add(1, Ordering::Relaxed) / 300)
        }),
        ("reads_the_key_alone", |key| {
            good(key) ^ (key.as_ptr() as u64 & 8)
        }),
        ("gives_threads_the_same_hash", |key| {
            let name = std::thread::current().name().map(str::to_owned);
            good(key) ^ u64::from(name.is_none())
        }),
        ("each_bit_counts", |key| good(&key[..key.len().min(1000)])),
        ("each_bit_moves_half_of_the_hash", |key| {
            good(key) | (good(&[key, b"more"].concat()) & 1)
        }),
        ("keys_do_not_collide", |key| {
            let hash = good(key);
            hash & 0xffff_ffff | (hash >> 36) << 32
        }),
        ("keys_fill_buckets_evenly", |key| {
            let hash = good(key);
            if hash >> 54 == 5 {
                hash ^ 1 << 54
            } else {
                hash
            }
        }),
    ];
    for (name, function) in wrong {
        assert!(run(name, &Wrong(function)).is_err(), "{name} passed");
    }
}
