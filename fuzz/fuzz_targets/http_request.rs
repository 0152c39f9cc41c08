//! The parser of requests, held by what the tests of the corpus hold it by too (`harness/wire/tests/corpora`).
//!
//! just fuzz http_request

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "checks/http_request.rs"]
mod http_request;

fuzz_target!(|input: &[u8]| http_request::check(input));
