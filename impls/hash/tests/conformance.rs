//! Every case of the family over every function, and sums that are known from elsewhere.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ringside_conform::{Outcome, Target, check, hash};
use ringside_contract::{ServeOptions, Settings};
use ringside_wire::hash::{ANSWER_BYTES, Answer, Block, Table, fold};

/// Starts each function; `act` gets its name and its address.
fn each(act: impl Fn(&str, SocketAddr)) {
    for implementation in ringside_hash::all() {
        let axes = implementation.meta().resolve(&Settings::default()).unwrap();
        let service = implementation.start(&ServeOptions::local(axes)).unwrap();
        act(implementation.meta().id, service.endpoint().addresses[0]);
        service.stop().unwrap();
    }
}

#[test]
fn every_function_conforms() {
    each(|id, address| {
        let target = Target {
            address,
            root: None,
            cannot: Vec::new(),
        };
        for case in hash::cases() {
            let outcome = check(case, &target);
            assert_eq!(outcome, Outcome::Passed, "{id}: {}", case.name);
        }
    });
}

/// The sum of a block as a worker answers it.
fn sum(address: SocketAddr, block: &Block) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    // A missing answer fails the test instead of hanging it.
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut bytes = Vec::new();
    block.write(&mut bytes);
    stream.write_all(&bytes).unwrap();
    let mut answer = [0; ANSWER_BYTES];
    stream.read_exact(&mut answer).unwrap();
    match Answer::read(&answer) {
        Some(Answer::Sum { tag, sum }) if tag == block.tag => sum,
        other => panic!("{other:?}"),
    }
}

/// Bytes that are hashed alone: those of a slice have their number before them.
struct Bare<'a>(&'a [u8]);

impl Hash for Bare<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

#[test]
fn sums_are_those_of_the_functions() {
    let table = Table::default();
    let mut sums = BTreeSet::new();
    for (length, keys, seed) in [(64, 2000, 5), (1, 10, 0), (4096, 100, u64::MAX)] {
        let block = Block {
            length,
            keys,
            seed,
            tag: 77,
        };
        let expected = |hash: &dyn Fn(&[u8]) -> u64| {
            (0..u64::from(keys)).fold(0, |sum, index| {
                let key = table.key(seed.wrapping_add(index), length as usize);
                fold(sum, hash(key))
            })
        };
        // By ways that the functions do not take.
        let fnv = expected(&|key| {
            let mut hash: u128 = 14_695_981_039_346_656_037;
            for &byte in key {
                hash = (hash ^ u128::from(byte)) * 1_099_511_628_211 % (1 << 64);
            }
            hash as u64
        });
        let sip =
            expected(&|key| BuildHasherDefault::<DefaultHasher>::default().hash_one(Bare(key)));
        each(|id, address| {
            let sum = sum(address, &block);
            match id {
                "hash/fnv1a" => assert_eq!(sum, fnv, "{block:?}"),
                "hash/siphash" => assert_eq!(sum, sip, "{block:?}"),
                _ => assert!(sum != fnv && sum != sip, "{id}"),
            }
        });
        sums.extend([fnv, sip]);
    }
    assert_eq!(sums.len(), 6);
}

#[test]
fn ids_are_files_and_files_are_in_the_list() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".rs").map(str::to_owned)
    });
    let files: BTreeSet<String> = names
        .filter(|name| !["lib", "core", "counted"].contains(&name.as_str()))
        .map(|name| format!("hash/{name}"))
        .collect();
    let ids = ringside_hash::all().iter().map(|known| known.meta().id);
    assert_eq!(files, ids.map(str::to_owned).collect());
}
