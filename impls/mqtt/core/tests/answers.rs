//! What the broker's answers say, and what they leave out.

use super::super::*;
use super::hall::*;

/// 3.1.1: MQTT-3.12.4-1. 5.0: MQTT-3.12.4-1.
#[test]
fn a_ping_is_answered() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        let said = hall.tell(client, b"\xc0\x00\xc0\x00");
        assert_eq!(said.bytes, b"\xd0\x00\xd0\x00");
        assert!(!said.ended);
    }
}

/// 3.1.1: MQTT-2.3.1-5, MQTT-2.3.1-6, MQTT-3.3.4-1. 5.0: MQTT-2.2.1-2, MQTT-2.2.1-5, MQTT-3.3.4-1.
#[test]
fn each_quality_has_its_answer_with_the_same_identifier() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        hall.subscribe(client, "a", AtMostOnce);
        for identifier in [1, 0x0102, u16::MAX] {
            let [high, low] = identifier.to_be_bytes();
            for (quality, expected) in [
                (AtMostOnce, &[][..]),
                (AtLeastOnce, &[0x40, 2, high, low]),
                (ExactlyOnce, &[0x50, 2, high, low]),
            ] {
                let publish = encode::Publish {
                    identifier,
                    ..message("a", "x", quality)
                };
                assert_eq!(hall.publish(client, &publish), expected);
                // Were there an identifier at QoS 0, it would be part of the payload.
                assert_eq!(hall.message(client).payload, "x");
            }
            let completed = hall.acknowledge(client, Kind::PubRel, identifier);
            assert_eq!(completed, short(Kind::PubComp, identifier));
        }
    }
}

/// 3.1.1: MQTT-4.6.0-2, MQTT-4.6.0-3, MQTT-4.6.0-4. 5.0: MQTT-4.6.0-2, MQTT-4.6.0-3, MQTT-4.6.0-4.
#[test]
fn answers_come_in_the_order_of_what_they_answer() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        hall.subscribe(client, "a", AtMostOnce);
        let order = [9, 3, 700, 1, 65_535, 2];
        for (quality, kind) in [(AtLeastOnce, Kind::PubAck), (ExactlyOnce, Kind::PubRec)] {
            let mut bytes = Vec::new();
            for identifier in order {
                let publish = encode::Publish {
                    identifier,
                    ..message("a", "x", quality)
                };
                encode::publish(&mut bytes, version, &publish);
            }
            let expected: Vec<u8> = order
                .iter()
                .flat_map(|&number| short(kind, number))
                .collect();
            assert_eq!(hall.tell(client, &bytes).bytes, expected);
        }
        // As a sender it releases in the order of the PUBRECs.
        hall.take(client);
        hall.subscribe(client, "b", ExactlyOnce);
        for _ in 0..3 {
            hall.publish(client, &message("b", "x", AtLeastOnce));
            hall.publish(
                client,
                &encode::Publish {
                    identifier: 6,
                    ..message("b", "x", ExactlyOnce)
                },
            );
            hall.acknowledge(client, Kind::PubRel, 6);
        }
        let waiting = hall.messages(client).into_iter();
        let once: Vec<u16> = waiting
            .filter(|message| message.quality == ExactlyOnce)
            .map(|message| message.identifier)
            .collect();
        let received = [once[1], once[2], once[0]];
        let bytes: Vec<u8> = received
            .iter()
            .flat_map(|&n| short(Kind::PubRec, n))
            .collect();
        let released: Vec<u8> = received
            .iter()
            .flat_map(|&n| short(Kind::PubRel, n))
            .collect();
        assert_eq!(hall.tell(client, &bytes).bytes, released);
    }
}

/// 5.0: MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1.
#[test]
fn acknowledgements_have_a_reason_of_their_own() {
    let mut hall = Hall::new();
    let client = hall.connect(&hello("a"));
    let none = Reason::NO_MATCHING_SUBSCRIBERS.0;
    let lost = Reason::PACKET_IDENTIFIER_NOT_FOUND.0;
    let at = |quality| message("nobody", "x", quality);
    assert_eq!(
        hall.publish(client, &at(AtLeastOnce)),
        [0x40, 3, 0, 5, none]
    );
    assert_eq!(
        hall.publish(client, &at(ExactlyOnce)),
        [0x50, 3, 0, 5, none]
    );
    assert_eq!(
        hall.acknowledge(client, Kind::PubRec, 9),
        [0x62, 3, 0, 9, lost]
    );
    assert_eq!(
        hall.acknowledge(client, Kind::PubRel, 9),
        [0x70, 3, 0, 9, lost]
    );
}

/// Every answer that the broker has, to a client that takes packets of at most so many bytes.
fn every_answer(packet_max: u32) -> Vec<Vec<u8>> {
    let mut hall = Hall::new();
    let connect = encode::Connect {
        properties: &[
            (PropertyId::REQUEST_PROBLEM, Value::Number(0)),
            (PropertyId::REQUEST_RESPONSE, Value::Number(0)),
            (PropertyId::MAXIMUM_PACKET_SIZE, Value::Number(packet_max)),
        ],
        ..hello("a")
    };
    let client = hall.enter();
    let mut answers = vec![hall.say(client, |out| encode::connect(out, &connect))];
    answers.push(hall.subscribe_as(
        client,
        &[wish("a", ExactlyOnce), wish("a#", AtMostOnce)],
        &[],
    ));
    for quality in QUALITIES {
        answers.push(hall.publish(client, &message("a", "x", quality)));
        answers.push(hall.publish(client, &message("b", "x", quality)));
    }
    answers.push(hall.take(client));
    for kind in [Kind::PubRel, Kind::PubRec, Kind::PubRel] {
        answers.push(hall.acknowledge(client, kind, 2));
        answers.push(hall.acknowledge(client, kind, 5));
    }
    answers.push(hall.say(client, |out| {
        encode::unsubscribe(out, V5, 3, &[], &["a", "b"]);
    }));
    answers.push(hall.tell(client, b"\x00\x00").bytes);
    answers
}

/// 5.0: MQTT-3.1.2-28, MQTT-3.1.2-29, MQTT-3.2.2-19, MQTT-3.2.2-20, MQTT-3.4.2-2, MQTT-3.4.2-3, MQTT-3.5.2-2,
/// MQTT-3.5.2-3, MQTT-3.6.2-2, MQTT-3.6.2-3, MQTT-3.7.2-2, MQTT-3.7.2-3, MQTT-3.9.2-1, MQTT-3.9.2-2,
/// MQTT-3.11.2-1, MQTT-3.11.2-2, MQTT-3.14.2-2, MQTT-3.14.2-3, MQTT-3.14.2-4.
#[test]
fn answers_have_no_properties_that_nobody_needs() {
    let mut kinds = Vec::new();
    for bytes in every_answer(100) {
        each_packet(V5, &bytes, |packet| {
            let (kind, properties) = match packet {
                Packet::ConnAck(answer) => (Kind::ConnAck, answer.properties),
                Packet::Publish(publish) => (Kind::Publish, publish.properties),
                Packet::Acknowledge(answer) => (answer.kind, answer.properties),
                Packet::SubAck(answer) => (Kind::SubAck, answer.properties),
                Packet::UnsubAck(answer) => (Kind::UnsubAck, answer.properties),
                Packet::Disconnect(farewell) => (Kind::Disconnect, farewell.properties),
                other => panic!("{other:?}"),
            };
            let named = properties.iter().map(|(id, _)| id).collect::<Vec<_>>();
            for unneeded in [
                PropertyId::REASON_STRING,
                PropertyId::USER,
                PropertyId::RESPONSE_INFORMATION,
            ] {
                assert!(!named.contains(&unneeded), "{packet:?}");
            }
            assert!(kind == Kind::ConnAck || named.is_empty(), "{packet:?}");
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        });
    }
    assert_eq!(kinds.len(), 9, "{kinds:?}");
}

/// 5.0: MQTT-3.1.2-24.
#[test]
fn no_answer_is_longer_than_the_client_takes() {
    for packet_max in [14, 100] {
        for bytes in every_answer(packet_max) {
            let mut rest = &bytes[..];
            while let Some(header) = header::parse(rest, PACKET_MAX).unwrap() {
                assert!(header.packet_length() <= packet_max as usize, "{header:?}");
                rest = &rest[header.packet_length()..];
            }
        }
    }
    // A CONNACK that does not fit is none, and a SUBACK or UNSUBACK neither.
    let mut hall = Hall::new();
    let maximum = |bytes| [(PropertyId::MAXIMUM_PACKET_SIZE, Value::Number(bytes))];
    let client = hall.enter();
    let connect = encode::Connect {
        properties: &maximum(12),
        ..hello("a")
    };
    let said = hall.tell(client, &written(|out| encode::connect(out, &connect)));
    assert!(said.ended && said.bytes.len() <= 12, "{said:02x?}");
    let connect = encode::Connect {
        properties: &maximum(20),
        ..hello("a")
    };
    let client = hall.connect(&connect);
    let filters = ["a"; 30];
    let wanted = filters.map(|filter| wish(filter, AtMostOnce));
    assert_eq!(hall.subscribe_as(client, &wanted, &[]), b"");
    let none = hall.say(client, |out| encode::unsubscribe(out, V5, 3, &[], &filters));
    assert_eq!(none, b"");
    assert_eq!(hall.tell(client, b"\xc0\x00").bytes, b"\xd0\x00");
}
