//! The pure functions of the family, for counts of instructions: reading and writing packets, matching a
//! topic, and looking it up among subscriptions.

use std::hint::black_box;

use ringside_contract::CountedFunction;
use ringside_wire::mqtt::encode::{self, Publish};
use ringside_wire::mqtt::packet::{Packet, decode};
use ringside_wire::mqtt::{QualityOfService, Version, header, topic};

use crate::registry;

/// In the order of reports.
pub(crate) const FUNCTIONS: &[CountedFunction] = &[
    CountedFunction {
        name: "mqtt/publish_read_v311",
        prepare: || read_publish(Version::V311),
    },
    CountedFunction {
        name: "mqtt/publish_read_v5",
        prepare: || read_publish(Version::V5),
    },
    CountedFunction {
        name: "mqtt/publish_written_v311",
        prepare: || write_publish(Version::V311),
    },
    CountedFunction {
        name: "mqtt/publish_written_v5",
        prepare: || write_publish(Version::V5),
    },
    CountedFunction {
        name: "mqtt/topic_matched",
        prepare: match_topics,
    },
    CountedFunction {
        name: "mqtt/registry_look_up",
        prepare: registry::counted_look_up,
    },
];

/// A message of 64 bytes.
const MESSAGE: Publish<'_> = Publish {
    duplicate: false,
    quality: QualityOfService::AtLeastOnce,
    retain: false,
    topic: "pairs/17",
    identifier: 1,
    properties: &[],
    payload: &[b'x'; 64],
};

/// Filters and a name that each of them takes or, every other one, does not.
const TOPICS: [(&str, &str); 6] = [
    ("house/kitchen/temperature", "house/kitchen/temperature"),
    ("house/kitchen/temperature", "house/kitchen/humidity"),
    ("house/+/temperature", "house/kitchen/temperature"),
    ("house/+/temperature", "house/kitchen/oven/temperature"),
    ("house/#", "house/kitchen/oven/temperature"),
    ("#", "$SYS/uptime"),
];

fn read_publish(version: Version) -> Box<dyn FnMut()> {
    let mut packet = Vec::new();
    encode::publish(&mut packet, version, &MESSAGE);
    Box::new(move || assert!(is_publish(version, black_box(&packet))))
}

fn is_publish(version: Version, packet: &[u8]) -> bool {
    let Ok(Some(header)) = header::parse(packet, 1 << 20) else {
        return false;
    };
    let body = &packet[header.packet_length() - header.remaining..];
    matches!(
        black_box(decode(version, header, body)),
        Ok(Packet::Publish(_))
    )
}

fn write_publish(version: Version) -> Box<dyn FnMut()> {
    let mut out = Vec::with_capacity(256);
    Box::new(move || {
        out.clear();
        encode::publish(&mut out, version, black_box(&MESSAGE));
        black_box(&mut out);
    })
}

fn match_topics() -> Box<dyn FnMut()> {
    Box::new(|| {
        let pairs = black_box(TOPICS).into_iter();
        let taken = pairs.filter(|(filter, name)| topic::matches(filter, name));
        assert_eq!(taken.count(), 3, "every other one is taken");
    })
}
