//! The codec against another one, crate `mqtt-protocol-core`, written by other people from the same
//! standards: packets, and packets with any byte changed, which both accept or both refuse.

use std::sync::Arc;

use mqtt_protocol_core::mqtt::packet::{v3_1_1, v5_0};
use ringside_wire::mqtt::encode::{self, PACKET_MAX};
use ringside_wire::mqtt::header::{self, Header, Kind};
use ringside_wire::mqtt::packet::{self, Packet, Wanted};
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version};

/// Whether the other codec takes all of a body.
fn oracle(version: Version, kind: Kind, flags: u8, body: &[u8]) -> bool {
    macro_rules! parse {
        ($($kind:ident => $packet:ident),*) => {
            match (version, kind) {
                (Version::V311, Kind::Publish) => {
                    v3_1_1::Publish::parse(flags, Arc::from(body)).map(|parsed| parsed.1).ok()
                }
                (Version::V5, Kind::Publish) => {
                    v5_0::Publish::parse(flags, Arc::from(body)).map(|parsed| parsed.1).ok()
                }
                $((Version::V311, Kind::$kind) => v3_1_1::$packet::parse(body).map(|parsed| parsed.1).ok(),
                  (Version::V5, Kind::$kind) => v5_0::$packet::parse(body).map(|parsed| parsed.1).ok(),)*
                _ => None,
            }
        };
    }
    let consumed = parse!(
        Connect => Connect, ConnAck => Connack, PubAck => Puback, PubRec => Pubrec,
        PubRel => Pubrel, PubComp => Pubcomp, Subscribe => Subscribe, SubAck => Suback,
        Unsubscribe => Unsubscribe, UnsubAck => Unsuback, Disconnect => Disconnect
    );
    consumed == Some(body.len())
}

fn header(bytes: &[u8]) -> Header {
    let header = header::parse(bytes, PACKET_MAX);
    header.expect("a right header").expect("a whole one")
}

fn ours(version: Version, bytes: &[u8]) -> Result<(), String> {
    let header = header::parse(bytes, PACKET_MAX).map_err(|refusal| refusal.to_string())?;
    let header = header.ok_or("incomplete")?;
    packet::decode(version, header, &bytes[header.length..])
        .map(|_| ())
        .map_err(|refusal| refusal.to_string())
}

fn connect(out: &mut Vec<u8>, version: Version, with_will: bool) {
    let will = encode::Will {
        topic: "w",
        payload: b"gone",
        quality: QualityOfService::AtLeastOnce,
        retain: false,
        properties: &[(PropertyId::WILL_DELAY, Value::Number(5))],
    };
    let connect = encode::Connect {
        version,
        clean_start: true,
        keep_alive: 60,
        client: "me",
        will: with_will.then_some(will),
        user_name: Some("u"),
        password: Some(b"p"),
        properties: &[
            (PropertyId::RECEIVE_MAXIMUM, Value::Number(9)),
            (PropertyId::MAXIMUM_PACKET_SIZE, Value::Number(70_000)),
        ],
    };
    encode::connect(out, &connect);
}

fn samples(version: Version) -> Vec<Vec<u8>> {
    let text: &[_] = &[
        (PropertyId::REASON_STRING, Value::Text("why")),
        (PropertyId::USER, Value::Pair("a", "b")),
    ];
    let message = encode::Publish {
        duplicate: false,
        quality: QualityOfService::AtLeastOnce,
        retain: false,
        topic: "a/b",
        identifier: 3,
        properties: &[
            (PropertyId::PAYLOAD_FORMAT, Value::Number(1)),
            (PropertyId::TOPIC_ALIAS, Value::Number(2)),
            (PropertyId::RESPONSE_TOPIC, Value::Text("r")),
            (PropertyId::CORRELATION_DATA, Value::Binary(b"c")),
        ],
        payload: b"hi",
    };
    let wanted = Wanted {
        filter: "a/+",
        quality: QualityOfService::ExactlyOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    };
    let written = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        out
    };
    let acknowledge =
        |kind| written(&|out| encode::acknowledge(out, version, kind, 7, Reason(0x80), text));
    vec![
        written(&|out| connect(out, version, true)),
        written(&|out| connect(out, version, false)),
        written(&|out| encode::conn_ack(out, version, true, 0, text)),
        written(&|out| _ = encode::publish(out, version, &message)),
        acknowledge(Kind::PubAck),
        acknowledge(Kind::PubRec),
        written(&|out| encode::subscribe(out, version, 8, &[], &[wanted, wanted])),
        written(&|out| encode::granted(out, version, Kind::SubAck, 8, text, &[0, 0x80])),
        written(&|out| encode::unsubscribe(out, version, 9, &[], &["a", "b/#"])),
        written(&|out| encode::granted(out, version, Kind::UnsubAck, 9, &[], &[0])),
        written(&|out| encode::farewell(out, version, Kind::Disconnect, Reason(0x80), text)),
    ]
}

/// What the other codec lets pass and the standards forbid: our words, and the statement.
const STRICTER: &[(&str, &str)] = &[
    ("a string with U+0000", "MQTT-1.5.4-2"),
    ("a packet identifier of 0", "MQTT-2.2.1-3"),
    ("a topic name with wildcards", "MQTT-3.3.2-2"),
    (
        "a response topic with wildcards, or an empty one",
        "MQTT-3.3.2-14",
    ),
    ("an empty topic", "MQTT-4.7.3-1"),
    ("the reserved flag of a CONNECT is set", "MQTT-3.1.2-3"),
    ("a will of QoS 3", "MQTT-3.1.2-12"),
    ("flags of a will that is not there", "MQTT-3.1.2-11"),
    ("reserved flags of a CONNACK are set", "3.2.2.1"),
    ("a session with a refusal", "MQTT-3.2.2-6"),
    ("reserved bits of a QoS are set", "3.1.1, MQTT-3-8.3-4"),
    ("reserved bits of a subscription are set", "MQTT-3.8.3-5"),
];

/// A topic alias of 0 can be read; the broker closes with reason 0x94 and not as malformed
/// (MQTT-3.3.2-8).
fn is_alias_of_0(version: Version, bytes: &[u8]) -> bool {
    let header = header(bytes);
    match packet::decode(version, header, &bytes[header.length..]) {
        Ok(Packet::Publish(publish)) => {
            publish.properties.number(PropertyId::TOPIC_ALIAS) == Some(0)
        }
        _ => false,
    }
}

#[test]
fn what_one_codec_accepts_the_other_does() {
    let mut accepted = 0;
    for version in [Version::V311, Version::V5] {
        for sample in samples(version) {
            assert_eq!(ours(version, &sample), Ok(()));
            for (at, byte) in (2..sample.len()).flat_map(|at| (0..=255).map(move |byte| (at, byte)))
            {
                let mut bytes = sample.clone();
                bytes[at] = byte;
                let header = header(&bytes);
                let theirs = oracle(version, header.kind, header.flags, &bytes[header.length..]);
                let agree = match ours(version, &bytes) {
                    Ok(()) => theirs || is_alias_of_0(version, &bytes),
                    Err(because) => !theirs || STRICTER.iter().any(|(known, _)| *known == because),
                };
                assert!(agree, "{version:?} {bytes:02x?}: they say {theirs}");
                accepted += usize::from(theirs);
            }
        }
    }
    assert!(accepted > 10_000, "{accepted}");
}
