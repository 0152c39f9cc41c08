use proptest::prelude::*;

use super::encode::{self, PACKET_MAX};
use super::header::{self, Kind};
use super::packet::{self, Packet, Wanted};
use super::property::{PropertyId, Value};
use super::reason::Reason;
use super::{QualityOfService, Refusal, Version};

fn read(version: Version, bytes: &[u8]) -> Result<Option<Packet<'_>>, Refusal> {
    let Some(header) = header::parse(bytes, PACKET_MAX)? else {
        return Ok(None);
    };
    let Some(body) = bytes.get(header.length..header.packet_length()) else {
        return Ok(None);
    };
    packet::decode(version, header, body).map(Some)
}

fn refused(version: Version, bytes: &[u8]) -> Reason {
    match read(version, bytes) {
        Err(refusal) => refusal.reason,
        other => panic!("{bytes:02x?} gave {other:?}"),
    }
}

/// Figure 3.6 of 3.1.1, 3.1.2: a CONNECT with everything, byte by byte.
#[test]
fn a_connect_of_311_is_read_as_the_standard_shows() {
    let bytes =
        b"\x10\x1c\x00\x04MQTT\x04\xce\x00\x0a\x00\x01c\x00\x01w\x00\x02hi\x00\x01u\x00\x03pwd";
    let Ok(Some(Packet::Connect(connect))) = read(Version::V311, bytes) else {
        panic!("{:?}", read(Version::V311, bytes));
    };
    let will = connect.will.unwrap();
    assert_eq!((connect.version, connect.keep_alive), (Version::V311, 10));
    assert_eq!((will.topic, will.payload), ("w", &b"hi"[..]));
    assert_eq!(will.quality, QualityOfService::AtLeastOnce);
    assert!(connect.clean_start && !will.retain);
    assert_eq!(connect.user_name, Some("u"));
    assert_eq!(connect.password, Some(&b"pwd"[..]));
}

const REFUSED: &[(&[u8], Version, Reason)] = &[
    (b"\x00\x00", Version::V5, Reason::MALFORMED_PACKET),
    (b"\x36\x00", Version::V5, Reason::MALFORMED_PACKET),
    (
        b"\x38\x03\x00\x01a",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x80\x06\x00\x01\x00\x01a\x00",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (b"\xc1\x00", Version::V5, Reason::MALFORMED_PACKET),
    (b"\xc0\x80\x00", Version::V5, Reason::MALFORMED_PACKET),
    (
        b"\x30\xff\xff\xff\xff",
        Version::V5,
        Reason::MALFORMED_PACKET,
    ),
    (b"\xc0\x01\x00", Version::V5, Reason::MALFORMED_PACKET),
    (b"\xf0\x00", Version::V311, Reason::MALFORMED_PACKET),
    // A topic with U+0000, with broken UTF-8, with a surrogate, with wildcards, without anything.
    (
        b"\x30\x03\x00\x01\x00",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x30\x03\x00\x01\xff",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x30\x05\x00\x03\xed\xa0\x80",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x30\x03\x00\x01#",
        Version::V311,
        Reason::TOPIC_NAME_INVALID,
    ),
    (b"\x30\x02\x00\x00", Version::V311, Reason::PROTOCOL_ERROR),
    (b"\x30\x03\x00\x00\x00", Version::V5, Reason::PROTOCOL_ERROR),
    // Packet identifier 0.
    (
        b"\x32\x05\x00\x01a\x00\x00",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (b"\x82\x02\x00\x01", Version::V311, Reason::PROTOCOL_ERROR),
    (
        b"\x82\x06\x00\x01\x00\x01a\x03",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x82\x06\x00\x01\x00\x01a\x04",
        Version::V311,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x82\x07\x00\x01\x00\x00\x01a\x30",
        Version::V5,
        Reason::PROTOCOL_ERROR,
    ),
    (b"\xa2\x02\x00\x01", Version::V311, Reason::PROTOCOL_ERROR),
    // Properties: unknown, of another packet, twice, cut short, a flag of 2, a maximum of 0.
    (
        b"\x30\x06\x00\x01a\x02\x04\x00",
        Version::V5,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x30\x07\x00\x01a\x03\x21\x00\x01",
        Version::V5,
        Reason::PROTOCOL_ERROR,
    ),
    (
        b"\x30\x08\x00\x01a\x04\x01\x00\x01\x00",
        Version::V5,
        Reason::PROTOCOL_ERROR,
    ),
    (
        b"\x30\x04\x00\x01a\x02",
        Version::V5,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x30\x06\x00\x01a\x02\x01\x02",
        Version::V5,
        Reason::PROTOCOL_ERROR,
    ),
    (
        b"\x10\x10\x00\x04MQTT\x05\x02\x00\x00\x03\x21\x00\x00\x00\x00",
        Version::V5,
        Reason::PROTOCOL_ERROR,
    ),
    // CONNECT: another name, another level, the reserved flag, a will's flags without a will.
    (
        b"\x10\x0c\x00\x04MQXX\x04\x02\x00\x00\x00\x00",
        Version::V5,
        Reason::UNSUPPORTED_VERSION,
    ),
    (
        b"\x10\x0c\x00\x04MQTT\x06\x02\x00\x00\x00\x00",
        Version::V5,
        Reason::UNSUPPORTED_VERSION,
    ),
    (
        b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00",
        Version::V5,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x10\x0c\x00\x04MQTT\x04\x0a\x00\x00\x00\x00",
        Version::V5,
        Reason::MALFORMED_PACKET,
    ),
    (
        b"\x10\x0c\x00\x04MQTT\x04\x42\x00\x00\x00\x00",
        Version::V5,
        Reason::MALFORMED_PACKET,
    ),
];

#[test]
fn what_breaks_the_grammar_is_refused_with_its_reason() {
    for &(bytes, version, reason) in REFUSED {
        assert_eq!(refused(version, bytes), reason, "{bytes:02x?}");
    }
}

#[test]
fn a_packet_too_large_is_refused_by_its_header() {
    let header = |max| header::parse(b"\x30\x80\x01", max);
    assert_eq!(header(130).unwrap_err().reason, Reason::PACKET_TOO_LARGE);
    assert_eq!(header(131).unwrap().unwrap().packet_length(), 131);
}

#[test]
fn properties_are_found_by_their_number() {
    let mut bytes = Vec::new();
    let publish = encode::Publish {
        properties: &[
            (PropertyId::MESSAGE_EXPIRY, Value::Number(7)),
            (PropertyId::USER, Value::Pair("a", "b")),
            (PropertyId::SUBSCRIPTION, Value::Number(300)),
            (PropertyId::SUBSCRIPTION, Value::Number(2)),
            (PropertyId::USER, Value::Pair("a", "c")),
            (PropertyId::TOPIC_ALIAS, Value::Number(3)),
        ],
        ..MESSAGE
    };
    encode::publish(&mut bytes, Version::V5, &publish);
    let Ok(Some(Packet::Publish(read))) = read(Version::V5, &bytes) else {
        panic!("not read");
    };
    let number = |id| read.properties.number(id);
    assert_eq!(number(PropertyId::MESSAGE_EXPIRY), Some(7));
    assert_eq!(number(PropertyId::SUBSCRIPTION), Some(300));
    assert_eq!(number(PropertyId::CONTENT_TYPE), None);
    assert_eq!(read.properties.iter().count(), 6);
    // What belongs to one connection stays there.
    assert_eq!(encode::passed_on(&read.properties).len(), 3);
}

const MESSAGE: encode::Publish<'static> = encode::Publish {
    duplicate: false,
    quality: QualityOfService::AtMostOnce,
    retain: false,
    topic: "a/b",
    identifier: 0,
    properties: &[],
    payload: b"hello",
};

/// One packet of each kind, in both versions.
fn samples(version: Version) -> Vec<Vec<u8>> {
    let text: &[_] = &[(PropertyId::REASON_STRING, Value::Text("because"))];
    let will = encode::Will {
        topic: "w",
        payload: b"gone",
        quality: QualityOfService::ExactlyOnce,
        retain: true,
        properties: &[(PropertyId::WILL_DELAY, Value::Number(5))],
    };
    let connect = encode::Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client: "me",
        will: Some(will),
        user_name: Some("u"),
        password: Some(b"p"),
        properties: &[(PropertyId::RECEIVE_MAXIMUM, Value::Number(9))],
    };
    let wanted = Wanted {
        filter: "a/+",
        quality: QualityOfService::ExactlyOnce,
        no_local: version == Version::V5,
        retain_as_published: false,
        retain_handling: 0,
    };
    let (lost, full) = (Reason::PACKET_IDENTIFIER_NOT_FOUND, Reason::QUOTA_EXCEEDED);
    let written = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        out
    };
    vec![
        written(&|out| encode::connect(out, &connect)),
        written(&|out| encode::conn_ack(out, version, true, 0, text)),
        written(&|out| _ = encode::publish(out, version, &MESSAGE)),
        written(&|out| encode::acknowledge(out, version, Kind::PubRel, 7, lost, text)),
        written(&|out| encode::subscribe(out, version, 8, &[], &[wanted, wanted])),
        written(&|out| encode::granted(out, version, Kind::SubAck, 8, text, &[0, 0x80])),
        written(&|out| encode::unsubscribe(out, version, 9, &[], &["a", "b/#"])),
        written(&|out| encode::granted(out, version, Kind::UnsubAck, 9, &[], &[0])),
        written(&|out| encode::farewell(out, version, Kind::Disconnect, full, text)),
    ]
}

#[test]
fn every_packet_is_read_as_it_was_written_and_no_cut_of_it_is() {
    for version in [Version::V311, Version::V5] {
        for bytes in samples(version) {
            let packet = read(version, &bytes).unwrap().unwrap();
            for cut in 0..bytes.len() {
                assert_eq!(read(version, &bytes[..cut]), Ok(None), "{packet:?}");
            }
            match packet {
                Packet::Connect(connect) => {
                    assert_eq!((connect.client, connect.keep_alive), ("me", 60));
                    assert_eq!(connect.will.unwrap().payload, b"gone");
                }
                Packet::Acknowledge(acknowledge) => {
                    assert_eq!(
                        (acknowledge.kind, acknowledge.identifier),
                        (Kind::PubRel, 7)
                    );
                    let failed = version == Version::V5;
                    assert_eq!(acknowledge.reason.is_failure(), failed);
                }
                Packet::Subscribe(subscribe) => assert_eq!(subscribe.filters().count(), 2),
                Packet::Unsubscribe(unsubscribe) => {
                    assert_eq!(unsubscribe.filters().collect::<Vec<_>>(), ["a", "b/#"]);
                }
                Packet::SubAck(granted) => assert_eq!(granted.codes, [0, 0x80]),
                _ => {}
            }
        }
    }
}

fn quality() -> impl Strategy<Value = QualityOfService> {
    (0_u8..3).prop_map(|bits| QualityOfService::from_bits(bits).unwrap())
}

proptest! {
    #[test]
    fn a_message_is_read_as_it_was_written(
        topic in "[a-z/]{1,200}",
        payload in proptest::collection::vec(any::<u8>(), 0..20_000),
        quality in quality(),
        identifier in 1_u16..,
        retain: bool,
        five: bool,
    ) {
        let version = if five { Version::V5 } else { Version::V311 };
        let duplicate = retain && quality != QualityOfService::AtMostOnce;
        let mut bytes = vec![1, 2, 3];
        let publish = encode::Publish {
            duplicate, quality, retain, topic: &topic, identifier, properties: &[], payload: &payload,
        };
        let at = encode::publish(&mut bytes, version, &publish);
        let packet = read(version, &bytes[3..]).unwrap().unwrap();
        let Packet::Publish(read) = packet else { panic!("{packet:?}") };
        prop_assert_eq!((read.topic, read.payload), (&topic[..], &payload[..]));
        prop_assert_eq!((read.quality, read.retain, read.duplicate), (quality, retain, duplicate));
        prop_assert_eq!(at.is_some(), quality != QualityOfService::AtMostOnce);
        if let Some(at) = at {
            prop_assert_eq!(&bytes[at..at + 2], &identifier.to_be_bytes());
            prop_assert_eq!(read.identifier, identifier);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), five: bool) {
        let version = if five { Version::V5 } else { Version::V311 };
        let _ = read(version, &bytes);
    }

    /// One byte changed reaches deeper than chance does.
    #[test]
    fn no_changed_packet_makes_it_panic(
        which in 0_usize..9, at: prop::sample::Index, byte: u8, five: bool,
    ) {
        let version = if five { Version::V5 } else { Version::V311 };
        let mut bytes = samples(version).swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(Some(Packet::Subscribe(subscribe))) = read(version, &bytes) {
            prop_assert!(subscribe.filters().count() > 0);
        }
    }
}
