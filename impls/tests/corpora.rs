//! The corpus that the fuzzer of codecs begins with, held by the same check as it holds its own inputs by.

#[path = "../../fuzz/fuzz_targets/checks/log_entry.rs"]
mod log_entry;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use log_entry::{Entry, check, codecs, framed, read};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/corpora/log_entry")
}

/// What each file is: entries of each codec, whole and with something wrong behind the checksum.
fn written() -> BTreeMap<String, Vec<u8>> {
    let entry = |data: &[u8]| Entry {
        term: 300,
        index: u64::MAX,
        kind: 2,
        data: data.to_vec(),
    };
    let mut files = BTreeMap::new();
    for (number, (id, codec)) in codecs().into_iter().enumerate() {
        let name = id.trim_start_matches("codec/");
        let mut stream = Vec::new();
        codec.write(entry(b"").view(), &mut stream);
        codec.write(entry(&[7; 40]).view(), &mut stream);
        let head = |kind: u8, rest: &[u8]| [&[number as u8, kind], rest].concat();
        files.insert(format!("{name}_stream"), head(0, &stream));
        files.insert(format!("{name}_cut"), head(0, &stream[..stream.len() - 1]));
        let mut one = Vec::new();
        codec.write(entry(&[7; 40]).view(), &mut one);
        let payload = &one[8..];
        files.insert(format!("{name}_payload"), head(1, payload));
        files.insert(format!("{name}_payload_cut"), head(1, &payload[1..]));
        let longer = [payload, b"more"].concat();
        files.insert(format!("{name}_payload_longer"), head(1, &longer));
        let prefixed = [b"more", payload].concat();
        files.insert(format!("{name}_payload_prefixed"), head(1, &prefixed));
    }
    files.insert(
        "frame_too_long".to_owned(),
        vec![0, 0, 255, 255, 255, 127, 0],
    );
    files
}

#[test]
fn the_corpus_is_what_is_written_here_and_holds() {
    let files = fs::read_dir(folder()).unwrap().map(|file| {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    });
    let there: BTreeMap<_, _> = files.collect();
    assert!(there == written(), "write it anew with the test below");
    there.values().for_each(|input| check(input));
}

/// With `cargo test -p ringside-operations --test corpora -- --ignored`.
#[test]
#[ignore = "writes datasets/corpora/log_entry"]
fn write_the_corpus() {
    fs::remove_dir_all(folder()).ok();
    fs::create_dir_all(folder()).unwrap();
    for (name, bytes) in written() {
        fs::write(folder().join(name), bytes).unwrap();
    }
}

#[test]
fn payloads_in_a_frame_that_is_right_are_read_and_what_is_cut_off_is_not() {
    for (name, input) in written() {
        let (number, rest) = (usize::from(input[0]), &input[2..]);
        let codec = &codecs()[number].1;
        if input[1] == 1 {
            let entries = read(codec.as_ref(), &[&framed(rest)]).0;
            let expected = usize::from(name.ends_with("_payload"));
            assert_eq!(entries.len(), expected, "{name}");
        }
    }
}

/// What a fuzzer does, for a moment: bytes are changed, left out and repeated.
#[test]
fn changed_payloads_hold() {
    let files: Vec<_> = written().into_values().collect();
    let mut random = SplitMix64::seed_from_u64(1);
    let mut below = |bound: usize| (random.next_u64() % bound.max(1) as u64) as usize;
    for _ in 0..20_000 {
        let mut input = files[below(files.len())].clone();
        for _ in 0..=below(4) {
            let place = 2 + below(input.len() - 2);
            match below(4) {
                0 => input[place] ^= 1 << below(8),
                1 => input[place] = [0, 1, 0x7f, 0x80, 0xff][below(5)],
                2 if input.len() > 3 => drop(input.remove(place)),
                _ => input.insert(place, below(256) as u8),
            }
        }
        check(&input);
    }
}
