//! Whatever bytes come, reading an MQTT packet neither panics nor depends on where they were cut, and
//! what it accepts can be read to its end.
//!
//! cargo +nightly fuzz run mqtt_packet datasets/corpora/mqtt_packet

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringside_wire::mqtt::packet::{Packet, decode};
use ringside_wire::mqtt::{Version, header, topic};

/// Small, so that the fuzzer reaches it.
const PACKET_MAX: usize = 4096;

fuzz_target!(|input: &[u8]| {
    // The first byte chooses the version of the connection.
    let Some((&first, input)) = input.split_first() else {
        return;
    };
    let version = if first & 1 == 0 {
        Version::V311
    } else {
        Version::V5
    };
    let whole = header::parse(input, PACKET_MAX);
    for cut in 0..input.len().min(6) {
        match header::parse(&input[..cut], PACKET_MAX) {
            Ok(None) => {}
            decided => assert_eq!(decided, whole, "cut at {cut}"),
        }
    }
    let Ok(Some(header)) = whole else { return };
    let Some(body) = input.get(header.length..header.packet_length()) else {
        return;
    };
    match decode(version, header, body) {
        Ok(Packet::Subscribe(subscribe)) => {
            assert!(subscribe.filters().count() > 0);
            for wanted in subscribe.filters() {
                let _ = (
                    topic::is_filter(wanted.filter),
                    topic::shared(wanted.filter),
                );
            }
        }
        Ok(Packet::Unsubscribe(unsubscribe)) => assert!(unsubscribe.filters().count() > 0),
        Ok(Packet::Publish(publish)) => {
            let _ = (
                topic::matches("+/#", publish.topic),
                publish.properties.iter().count(),
            );
        }
        _ => {}
    }
});
