//! The conformance cases and the tests of quality of consistent hashing, over every implementation with every hash
//! function, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use ringside_conform::Case;
use ringside_conform::ring::{cases, quality, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::ring::{NodeTable, TestedRing};

/// Every way to share keys out that this processor and this build have, with its name.
fn rings() -> Vec<(String, Box<dyn TestedRing>)> {
    let mut rings = Vec::new();
    let all = ringside_operations::all();
    for one in all.iter().filter(|one| one.meta().id.starts_with("ring/")) {
        let meta = one.meta();
        let hashes = meta.axes[0].values;
        let searches = meta.axes.get(1).map_or(&[""][..], |axis| axis.values);
        for (hash, search) in hashes
            .iter()
            .flat_map(|hash| searches.iter().map(move |search| (hash, search)))
        {
            let mut axes = Settings::default();
            axes.set("hash", hash);
            if !search.is_empty() {
                axes.set("search", search);
            }
            if let Ok(Tested::Ring(ring)) = one.tested(&axes) {
                rings.push((format!("{} {hash} {search}", meta.id), ring));
            }
        }
    }
    rings
}

fn failing(cases: &[Case], ring: &dyn TestedRing) -> Vec<String> {
    let failed = |case: &Case| {
        let error = run(case.name, ring).err()?;
        Some(format!("{}: {error}", case.name))
    };
    cases.iter().filter_map(failed).collect()
}

#[test]
fn every_implementation_passes_every_case() {
    let rings = rings();
    assert!(rings.len() >= 30, "{}", rings.len());
    for (name, ring) in rings {
        assert_eq!(
            failing(cases(), ring.as_ref()),
            Vec::<String>::new(),
            "{name}"
        );
    }
}

/// FNV-1a, which is what the document's AVX2 hash does with keys of less than 32 bytes, leaves the upper bits of names to
/// their last letters; the document's CRC32 hash has no upper half, and no second half that would scatter what the first one
/// puts side by side. Jumps begin with a generator of random numbers, which mends both.
#[test]
fn shares_are_even_with_good_hash_functions_alone() {
    for (name, ring) in rings() {
        let failed = failing(quality(), ring.as_ref());
        let with = |hashes: &[&str]| {
            hashes
                .iter()
                .any(|hash| name.split(' ').nth(1) == Some(hash))
        };
        let is_bad = if name.starts_with("ring/jump") {
            false
        } else if name.starts_with("ring/maglev") {
            with(&["crc32_doc"])
        } else {
            with(&["fnv1a", "crc32_doc", "avx2_doc"])
        };
        assert_eq!(!failed.is_empty(), is_bad, "{name}: {failed:?}");
        if name == "ring/sorted avx2_doc index" {
            assert!(failed[0].contains("has 3380, such as `user:"), "{failed:?}");
        }
    }
}

/// A table that is a function of the count of nodes and the key.
type Plain = fn(u32, &[u8]) -> u32;

struct Wrong(Plain);

struct Table(Plain, u32);

impl TestedRing for Wrong {
    fn of(&self, nodes: u32) -> Box<dyn NodeTable> {
        Box::new(Table(self.0, nodes))
    }

    fn moved_without_need(&self, _: u32) -> f64 {
        0.01
    }
}

impl NodeTable for Table {
    fn node(&self, key: &[u8]) -> u32 {
        (self.0)(self.1, key)
    }
}

fn hash(key: &[u8]) -> u64 {
    key.iter().fold(1, |hash: u64, &byte| {
        let hash = (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^ (hash >> 29)
    })
}

/// The node with the highest hash of node and key.
fn rendezvous(nodes: u32, key: &[u8]) -> u32 {
    let weight = |node: &u32| {
        (hash(key) ^ u64::from(*node))
            .wrapping_mul(0xbf58_476d_1ce4_e5b9)
            .rotate_left(31)
            .wrapping_mul(0x94d0_49bb_1331_11eb)
    };
    (0..nodes).max_by_key(weight).unwrap()
}

#[test]
fn a_table_that_is_wrong_fails_the_case_that_asks_for_it() {
    let all = || cases().iter().chain(quality());
    for case in all() {
        assert_eq!(run(case.name, &Wrong(rendezvous)), Ok(()), "{}", case.name);
    }
    let wrong: [(&str, Plain); 4] = [
        ("gives_a_key_the_same_node_again", |nodes, _| nodes),
        ("gives_threads_the_same_node", |nodes, key| {
            let name = std::thread::current().name().map(str::to_owned);
            (rendezvous(nodes, key) + u32::from(name.is_none())) % nodes
        }),
        ("a_new_node_takes_keys_and_no_other_does", |nodes, key| {
            (hash(key) % u64::from(nodes)) as u32
        }),
        ("nodes_have_even_shares", |nodes, key| {
            let node = rendezvous(nodes, key);
            if node == 5 { 6 } else { node }
        }),
    ];
    for (name, function) in wrong {
        assert!(run(name, &Wrong(function)).is_err(), "{name} passed");
    }
}
