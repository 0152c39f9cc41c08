//! The codec of MQTT, held by what the tests of the corpus hold it by too (`harness/wire/tests/corpora`).
//!
//! just fuzz mqtt_packet

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "checks/mqtt_packet.rs"]
mod mqtt_packet;

fuzz_target!(|input: &[u8]| mqtt_packet::check(input));
