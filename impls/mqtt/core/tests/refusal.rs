//! Packets that break the grammar or the protocol, one by one: each ends its connection.

use super::super::*;
use super::hall::*;

/// The statements, and the bytes behind a CONNECT.
type Broken = (&'static str, &'static [u8]);

/// Packets that both versions write alike.
const ALIKE: &[Broken] = &[
    (
        "3.1.1: MQTT-2.2.2-1, MQTT-2.2.2-2. 5.0: MQTT-2.1.3-1. Flags of a PINGREQ",
        b"\xc1\x00",
    ),
    (
        "3.1.1: MQTT-2.2.2-2. 5.0: MQTT-2.1.3-1. Flags of a PUBACK",
        b"\x42\x02\x00\x01",
    ),
    (
        "3.1.1: MQTT-3.6.1-1. 5.0: MQTT-3.6.1-1. Flags of a PUBREL",
        b"\x60\x02\x00\x01",
    ),
    (
        "3.1.1: MQTT-3.14.1-1. 5.0: MQTT-3.14.1-1. Flags of a DISCONNECT",
        b"\xe1\x00",
    ),
    (
        "3.1.1: MQTT-4.8.0-1. 5.0: MQTT-4.13.1-1. Kind 0",
        b"\x00\x00",
    ),
    (
        "3.1.1: MQTT-4.8.0-1. 5.0: MQTT-4.13.1-1. A CONNACK",
        b"\x20\x03\x00\x00\x00",
    ),
    (
        "3.1.1: MQTT-4.8.0-1. 5.0: MQTT-4.13.1-1. A PINGRESP",
        b"\xd0\x00",
    ),
    (
        "3.1.1: MQTT-3.3.2-1. 5.0: MQTT-3.3.2-1. No topic",
        b"\x30\x00",
    ),
    (
        "3.1.1: MQTT-3.3.1-4. 5.0: MQTT-3.3.1-4. QoS 3",
        b"\x36\x06\x00\x01a\x00\x01\x00",
    ),
    (
        "3.1.1: MQTT-3.3.1-2. 5.0: MQTT-3.3.1-2. DUP at QoS 0",
        b"\x38\x04\x00\x01a\x00",
    ),
    (
        "3.1.1: MQTT-3.3.2-1, MQTT-1.5.3-1. 5.0: MQTT-3.3.2-1, MQTT-1.5.4-1. A topic that is no UTF-8",
        b"\x30\x05\x00\x02\xc3\x28\x00",
    ),
    (
        "3.1.1: MQTT-4.7.3-2, MQTT-1.5.3-2. 5.0: MQTT-4.7.3-2, MQTT-1.5.4-2. A topic with U+0000",
        b"\x30\x05\x00\x02a\x00\x00",
    ),
    (
        "3.1.1: MQTT-3.3.2-2, MQTT-4.7.1-1. 5.0: MQTT-3.3.2-2, MQTT-4.7.0-1. A topic with #",
        b"\x30\x06\x00\x03a/#\x00",
    ),
    (
        "3.1.1: MQTT-3.3.2-2, MQTT-4.7.1-1. 5.0: MQTT-3.3.2-2, MQTT-4.7.0-1. A topic with +",
        b"\x30\x06\x00\x03+/a\x00",
    ),
    (
        "3.1.1: MQTT-4.7.3-1. 5.0: MQTT-4.7.3-1. An empty topic",
        b"\x30\x03\x00\x00\x00",
    ),
    (
        "3.1.1: MQTT-2.3.1-1. 5.0: MQTT-2.2.1-3. PUBLISH 0",
        b"\x32\x06\x00\x01a\x00\x00\x00",
    ),
];

/// Packets of 3.1.1.
const OF_311: &[Broken] = &[
    (
        "3.1.1: MQTT-2.3.1-1. SUBSCRIBE 0",
        b"\x82\x06\x00\x00\x00\x01a\x00",
    ),
    (
        "3.1.1: MQTT-2.3.1-1. UNSUBSCRIBE 0",
        b"\xa2\x05\x00\x00\x00\x01a",
    ),
    (
        "3.1.1: MQTT-3.8.1-1. Flags of a SUBSCRIBE",
        b"\x80\x06\x00\x01\x00\x01a\x00",
    ),
    (
        "3.1.1: MQTT-3.8.3-1. No UTF-8",
        b"\x82\x07\x00\x01\x00\x02\xc3\x28\x00",
    ),
    (
        "3.1.1: MQTT-4.7.3-2. A filter with U+0000",
        b"\x82\x07\x00\x01\x00\x02a\x00\x00",
    ),
    ("3.1.1: MQTT-3.8.3-3. No filter", b"\x82\x02\x00\x01"),
    (
        "3.1.1: MQTT-3.8.3-4. QoS 3",
        b"\x82\x06\x00\x01\x00\x01a\x03",
    ),
    (
        "3.1.1: MQTT-3.8.3-4. A reserved bit",
        b"\x82\x06\x00\x01\x00\x01a\x04",
    ),
    (
        "3.1.1: MQTT-3.10.1-1. Flags of an UNSUBSCRIBE",
        b"\xa0\x05\x00\x01\x00\x01a",
    ),
    (
        "3.1.1: MQTT-3.10.3-1. No UTF-8",
        b"\xa2\x06\x00\x01\x00\x02\xc3\x28",
    ),
    ("3.1.1: MQTT-3.10.3-2. No filter", b"\xa2\x02\x00\x01"),
    ("3.1.1: MQTT-4.8.0-1. An AUTH", b"\xf0\x00"),
];

/// Packets of 5.0.
const OF_5: &[Broken] = &[
    (
        "5.0: MQTT-2.2.1-3. SUBSCRIBE 0",
        b"\x82\x07\x00\x00\x00\x00\x01a\x00",
    ),
    (
        "5.0: MQTT-2.2.1-3. UNSUBSCRIBE 0",
        b"\xa2\x06\x00\x00\x00\x00\x01a",
    ),
    (
        "5.0: MQTT-3.8.1-1. Flags of a SUBSCRIBE",
        b"\x80\x07\x00\x01\x00\x00\x01a\x00",
    ),
    (
        "5.0: MQTT-3.8.3-1. No UTF-8",
        b"\x82\x08\x00\x01\x00\x00\x02\xc3\x28\x00",
    ),
    (
        "5.0: MQTT-4.7.3-2. A filter with U+0000",
        b"\x82\x08\x00\x01\x00\x00\x02a\x00\x00",
    ),
    ("5.0: MQTT-3.8.3-2. No filter", b"\x82\x03\x00\x01\x00"),
    (
        "5.0: MQTT-3.8.3-4. No Local, shared",
        b"\x82\x10\x00\x01\x00\x00\x0a$share/g/a\x04",
    ),
    (
        "5.0: MQTT-3.8.3-5. Bit 6",
        b"\x82\x07\x00\x01\x00\x00\x01a\x40",
    ),
    (
        "5.0: MQTT-3.8.3-5. Bit 7",
        b"\x82\x07\x00\x01\x00\x00\x01a\x80",
    ),
    (
        "5.0: MQTT-3.10.1-1. Flags of an UNSUBSCRIBE",
        b"\xa0\x06\x00\x01\x00\x00\x01a",
    ),
    (
        "5.0: MQTT-3.10.3-1. No UTF-8",
        b"\xa2\x07\x00\x01\x00\x00\x02\xc3\x28",
    ),
    ("5.0: MQTT-3.10.3-2. No filter", b"\xa2\x03\x00\x01\x00"),
    ("5.0: MQTT-3.15.1-1. Flags of an AUTH", b"\xf1\x00"),
    (
        "5.0: MQTT-3.15.2-1. A reason that AUTH has not",
        b"\xf0\x01\x01",
    ),
    (
        "5.0: MQTT-4.12.0-7. An AUTH that nobody asked for",
        b"\xf0\x00",
    ),
    (
        "5.0: MQTT-2.2.2-1. No length of properties",
        b"\x30\x03\x00\x01a",
    ),
    (
        "5.0: MQTT-1.5.5-1. A length of 0 in two bytes",
        b"\x30\x05\x00\x01a\x80\x00",
    ),
    (
        "5.0: MQTT-1.5.7-1. The first of a pair",
        b"\x30\x0a\x00\x01a\x06\x26\x00\x01\xff\x00\x00",
    ),
    (
        "5.0: MQTT-1.5.7-1. The second",
        b"\x30\x0a\x00\x01a\x06\x26\x00\x00\x00\x01\xff",
    ),
    (
        "5.0: MQTT-3.3.2-8. Alias 0",
        b"\x30\x07\x00\x01a\x03\x23\x00\x00",
    ),
    (
        "5.0: MQTT-3.2.2-17, MQTT-3.3.2-9. An alias above the maximum",
        b"\x30\x07\x00\x01a\x03\x23\x00\x21",
    ),
    (
        "5.0: MQTT-3.3.2-13. A response topic, no UTF-8",
        b"\x30\x08\x00\x01a\x04\x08\x00\x01\xff",
    ),
    (
        "5.0: MQTT-3.3.2-14. A response topic with #",
        b"\x30\x08\x00\x01a\x04\x08\x00\x01#",
    ),
    (
        "5.0: MQTT-3.3.2-19. A content type, no UTF-8",
        b"\x30\x08\x00\x01a\x04\x03\x00\x01\xff",
    ),
    (
        "5.0: MQTT-3.3.4-6. A subscription identifier",
        b"\x30\x06\x00\x01a\x02\x0b\x05",
    ),
    (
        "5.0: MQTT-3.4.2-1. A reason that PUBACK has not",
        b"\x40\x03\x00\x01\x01",
    ),
    (
        "5.0: MQTT-3.5.2-1. A reason that PUBREC has not",
        b"\x50\x03\x00\x01\x92",
    ),
    (
        "5.0: MQTT-3.6.2-1. A reason that PUBREL has not",
        b"\x62\x03\x00\x01\x10",
    ),
    (
        "5.0: MQTT-3.7.2-1. A reason that PUBCOMP has not",
        b"\x70\x03\x00\x01\x80",
    ),
    (
        "5.0: MQTT-3.14.2-1. A reason that DISCONNECT has not",
        b"\xe0\x01\x01",
    ),
    (
        "5.0: MQTT-3.2.2-15. Longer than the maximum",
        b"\x30\xff\xff\x7f",
    ),
];

/// 3.1.1: MQTT-4.8.0-1. 5.0: MQTT-3.14.2-1, MQTT-3.14.4-1, MQTT-3.14.4-2, MQTT-4.13.1-1, MQTT-4.13.2-1.
#[test]
fn what_breaks_the_rules_ends_the_connection_and_5_is_told_why() {
    for (version, own) in [(V311, OF_311), (V5, OF_5)] {
        for &(what, bytes) in [ALIKE, own].concat().iter() {
            let mut hall = Hall::new();
            let client = hall.connect(&hello_in(version, "a"));
            // What stands behind counts no more.
            let said = hall.tell(client, &[bytes, b"\xc0\x00"].concat());
            assert!(said.ended, "{version:?} {what}");
            match version {
                V311 => assert_eq!(said.bytes, b"", "{what}"),
                V5 => each_packet(V5, &said.bytes, |packet| match packet {
                    Packet::Disconnect(why) if why.reason.is_failure() => {}
                    other => panic!("{what}: {other:?}"),
                }),
            }
            assert!(version == V311 || !said.bytes.is_empty(), "{what}");
        }
    }
}

/// 5.0: MQTT-3.14.1-1.
#[test]
fn reserved_bits_of_a_disconnect_are_told_as_malformed() {
    let mut hall = Hall::new();
    let client = hall.connect(&hello("a"));
    let said = hall.tell(client, b"\xe1\x00");
    assert_eq!(said.bytes, [0xe0, 1, Reason::MALFORMED_PACKET.0]);
}

/// 3.1.1: MQTT-3.14.4-2. 5.0: MQTT-3.14.4-1.
#[test]
fn nothing_behind_a_disconnect_is_processed() {
    for version in BOTH {
        let mut hall = Hall::new();
        let reader = hall.connect(&hello_in(version, "reader"));
        hall.subscribe(reader, "#", AtMostOnce);
        let client = hall.connect(&hello_in(version, "a"));
        let mut bytes = b"\xe0\x00".to_vec();
        encode::publish(&mut bytes, version, &message("a", "late", AtLeastOnce));
        let said = hall.tell(client, &bytes);
        assert!(said.ended && said.bytes.is_empty());
        assert_eq!(hall.take(reader), b"");
    }
}
