//! The corpora that the fuzzer begins with, held by the same checks as it holds its own inputs by.

#[path = "../../../../fuzz/fuzz_targets/checks/http_request.rs"]
mod http_request;
#[path = "../../../../fuzz/fuzz_targets/checks/mqtt_packet.rs"]
mod mqtt_packet;
mod packets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

type Corpus = BTreeMap<String, Vec<u8>>;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../datasets/corpora")
        .join(target)
}

fn corpus(target: &str) -> Corpus {
    let files = fs::read_dir(folder(target)).expect("the corpus is a folder");
    let file = |file: fs::DirEntry| {
        let name = file.file_name().to_string_lossy().into_owned();
        (name, fs::read(file.path()).expect("a file can be read"))
    };
    files
        .map(|entry| file(entry.expect("the folder can be read")))
        .collect()
}

#[test]
fn every_request_of_the_corpus_holds() {
    let corpus = corpus("http_request");
    assert!(!corpus.is_empty());
    corpus.values().for_each(|input| http_request::check(input));
}

#[test]
fn every_packet_of_the_corpus_holds() {
    corpus("mqtt_packet")
        .values()
        .for_each(|input| mqtt_packet::check(input));
}

/// A file that is refused for another reason than the one it is there for would hold nothing.
#[test]
fn packets_are_refused_for_what_is_broken_in_them_and_for_nothing_else() {
    for sample in packets::samples() {
        assert_eq!(sample.refusal(), sample.broken, "{}", sample.name);
    }
}

#[test]
fn the_corpus_of_packets_is_what_is_written_here() {
    let (there, written) = (corpus("mqtt_packet"), packets());
    let names = |corpus: &Corpus| corpus.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&there), names(&written));
    assert!(there == written, "write it anew with the test below");
}

/// With `cargo test -p ringside-wire --test corpora -- --ignored`, after a change of `packets.rs`.
#[test]
#[ignore = "writes datasets/corpora/mqtt_packet"]
fn write_the_corpus_of_packets() {
    let folder = folder("mqtt_packet");
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in packets() {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

fn packets() -> Corpus {
    let samples = packets::samples();
    let count = samples.len();
    let corpus: Corpus = samples
        .into_iter()
        .map(|sample| (sample.name.clone(), sample.input()))
        .collect();
    assert_eq!(corpus.len(), count, "two samples have the same name");
    corpus
}
