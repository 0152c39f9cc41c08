//! The codecs of a log's entries, held by what the tests of the corpus hold them by too (`impls/tests/corpora.rs`).
//!
//! just fuzz log_entry

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "checks/log_entry.rs"]
mod log_entry;

fuzz_target!(|input: &[u8]| log_entry::check(input));
