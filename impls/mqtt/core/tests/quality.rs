//! The handshakes of QoS 1 and 2, from both ends, and the window of a client.

use super::super::*;
use super::hall::*;

/// A publisher, and a client in a session that stays whose filter is `a`.
fn pair(version: Version, quality: QualityOfService) -> (Hall, usize, usize) {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello_in(version, "publisher"));
    let client = hall.connect(&lasting(version, "client"));
    hall.subscribe(client, "a", quality);
    (hall, publisher, client)
}

/// 3.1.1: MQTT-4.3.1-1, MQTT-3.3.1-2. 5.0: MQTT-4.3.1-1, MQTT-3.3.1-2.
#[test]
fn a_message_of_qos_0_is_sent_once_without_flags() {
    for version in BOTH {
        let (mut hall, publisher, client) = pair(version, AtMostOnce);
        hall.publish(publisher, &message("a", "x", AtMostOnce));
        let came = hall.message(client);
        assert_eq!((came.quality, came.duplicate), (AtMostOnce, false));
        hall.lose(client);
        let client = hall.connect(&lasting(version, "client"));
        assert_eq!(hall.take(client), b"");
    }
}

/// 3.1.1: MQTT-2.3.1-4, MQTT-4.3.2-1. 5.0: MQTT-2.2.1-4, MQTT-4.3.2-1, MQTT-4.3.2-2, MQTT-4.3.2-3.
#[test]
fn a_message_of_qos_1_has_a_free_identifier_until_its_puback() {
    for version in BOTH {
        let (mut hall, publisher, client) = pair(version, AtLeastOnce);
        for _ in 0..3 {
            hall.publish(publisher, &message("a", "x", AtLeastOnce));
        }
        let came = hall.messages(client);
        let mut numbers: Vec<_> = came.iter().map(|message| message.identifier).collect();
        assert!(
            came.iter()
                .all(|message| !message.duplicate && message.quality == AtLeastOnce)
        );
        assert_eq!(hall.acknowledge(client, Kind::PubAck, numbers[1]), b"");
        // What is not acknowledged keeps its identifier through more messages than there are.
        for _ in 0..66_000 {
            hall.publish(publisher, &message("a", "x", AtLeastOnce));
            let number = hall.message(client).identifier;
            assert!(number > 0 && ![numbers[0], numbers[2]].contains(&number));
            hall.acknowledge(client, Kind::PubAck, number);
        }
        hall.lose(client);
        let client = hall.connect(&lasting(version, "client"));
        numbers.remove(1);
        let again = hall.messages(client);
        let again: Vec<_> = again.iter().map(|message| message.identifier).collect();
        assert_eq!(again, numbers);
    }
}

/// 3.1.1: MQTT-4.3.3-1. 5.0: MQTT-4.3.3-1, MQTT-4.3.3-2, MQTT-4.3.3-3, MQTT-4.3.3-4, MQTT-4.3.3-5, MQTT-4.3.3-6.
#[test]
fn a_message_of_qos_2_goes_from_publish_to_pubcomp_and_never_back() {
    for version in BOTH {
        let (mut hall, publisher, client) = pair(version, ExactlyOnce);
        hall.publish(publisher, &message("a", "x", ExactlyOnce));
        let came = hall.message(client);
        assert_eq!((came.quality, came.duplicate), (ExactlyOnce, false));
        let number = came.identifier;
        // Without a PUBREC the PUBLISH comes again.
        hall.lose(client);
        let client = hall.connect(&lasting(version, "client"));
        let again = Came {
            duplicate: true,
            ..came
        };
        assert_eq!(hall.message(client), again);
        for _ in 0..2 {
            let released = hall.acknowledge(client, Kind::PubRec, number);
            assert_eq!(released, short(Kind::PubRel, number));
        }
        // Without a PUBCOMP the PUBREL does.
        for _ in 0..2 {
            hall.lose(client);
            let client = hall.connect(&lasting(version, "client"));
            assert_eq!(hall.take(client), short(Kind::PubRel, number));
        }
        let client = hall.connect(&lasting(version, "client"));
        assert_eq!(hall.acknowledge(client, Kind::PubComp, number), b"");
        hall.lose(client);
        let client = hall.connect(&lasting(version, "client"));
        assert_eq!(hall.take(client), b"");
    }
}

/// 3.1.1: MQTT-4.3.2-2. 5.0: MQTT-4.3.2-4, MQTT-4.3.2-5.
#[test]
fn behind_a_puback_the_same_identifier_is_a_new_message() {
    for version in BOTH {
        let (mut hall, publisher, client) = pair(version, AtMostOnce);
        for duplicate in [false, false, true] {
            let publish = encode::Publish {
                duplicate,
                ..message("a", "x", AtLeastOnce)
            };
            let answer = hall.publish(publisher, &publish);
            assert_eq!(answer, short(Kind::PubAck, 5));
            assert_eq!(hall.payloads(client), ["x"]);
        }
    }
}

/// 3.1.1: MQTT-4.3.3-2. 5.0: MQTT-4.3.3-8, MQTT-4.3.3-10, MQTT-4.3.3-11, MQTT-4.3.3-12.
#[test]
fn a_message_of_qos_2_is_taken_once_until_its_pubrel() {
    for version in BOTH {
        let (mut hall, _, client) = pair(version, AtMostOnce);
        let publisher = hall.connect(&lasting(version, "sender"));
        let publish = message("a", "x", ExactlyOnce);
        let again = encode::Publish {
            duplicate: true,
            ..publish
        };
        assert_eq!(hall.publish(publisher, &publish), short(Kind::PubRec, 5));
        assert_eq!(hall.publish(publisher, &again), short(Kind::PubRec, 5));
        // Nor does another connection of the same session repeat it.
        hall.lose(publisher);
        let publisher = hall.connect(&lasting(version, "sender"));
        assert_eq!(hall.publish(publisher, &again), short(Kind::PubRec, 5));
        assert_eq!(hall.payloads(client), ["x"]);
        assert_eq!(
            hall.acknowledge(publisher, Kind::PubRel, 5),
            short(Kind::PubComp, 5)
        );
        assert_eq!(hall.publish(publisher, &again), short(Kind::PubRec, 5));
        assert_eq!(hall.payloads(client), ["x"], "it is a new message");
    }
}

/// 5.0: MQTT-4.3.3-7, MQTT-4.3.3-13.
#[test]
fn a_handshake_of_qos_2_does_not_expire() {
    let (mut hall, publisher, client) = pair(V5, ExactlyOnce);
    let publish = encode::Publish {
        properties: &[(PropertyId::MESSAGE_EXPIRY, Value::Number(5))],
        ..message("a", "x", ExactlyOnce)
    };
    hall.publish(publisher, &publish);
    let number = hall.message(client).identifier;
    hall.lose(client);
    hall.pass(20_000, publisher);
    // The publisher's end goes on, and so does the receiver's.
    assert_eq!(
        hall.acknowledge(publisher, Kind::PubRel, 5),
        short(Kind::PubComp, 5)
    );
    let client = hall.connect(&lasting(V5, "client"));
    assert_eq!(hall.message(client).identifier, number);
    assert_eq!(
        hall.acknowledge(client, Kind::PubRec, number),
        short(Kind::PubRel, number)
    );
}

/// 5.0: MQTT-4.4.0-2, MQTT-4.8.2-6.
#[test]
fn a_message_that_a_client_refuses_is_not_sent_again_and_to_no_other() {
    for (quality, kind) in [(AtLeastOnce, Kind::PubAck), (ExactlyOnce, Kind::PubRec)] {
        for filter in ["a", "$share/group/a"] {
            let mut hall = Hall::new();
            let publisher = hall.connect(&hello("publisher"));
            let mut members = ["one", "two"].map(|name| hall.connect(&lasting(V5, name)));
            for member in members {
                hall.subscribe(member, filter, quality);
            }
            hall.publish(publisher, &message("a", "x", quality));
            for (member, name) in members.iter_mut().zip(["one", "two"]) {
                for came in hall.messages(*member) {
                    let refused = Reason::UNSPECIFIED_ERROR;
                    let number = came.identifier;
                    let answer = hall.say(*member, |out| {
                        encode::acknowledge(out, V5, kind, number, refused, &[]);
                    });
                    assert_eq!(answer, b"");
                }
                hall.lose(*member);
                *member = hall.connect(&lasting(V5, name));
            }
            for member in members {
                assert_eq!(hall.take(member), b"", "{filter} {quality:?}");
            }
        }
    }
}

/// 3.1.1: MQTT-3.3.1-3. 5.0: MQTT-3.3.1-3.
#[test]
fn the_duplicate_flag_is_not_passed_on() {
    for version in BOTH {
        for quality in [AtLeastOnce, ExactlyOnce] {
            let (mut hall, publisher, client) = pair(version, quality);
            let publish = encode::Publish {
                duplicate: true,
                ..message("a", "x", quality)
            };
            hall.publish(publisher, &publish);
            assert!(!hall.message(client).duplicate);
        }
    }
}

/// 3.1.1: MQTT-4.6.0-5, MQTT-4.6.0-6. 5.0: MQTT-4.6.0-5, MQTT-4.6.0-6.
#[test]
fn messages_of_one_topic_keep_their_order() {
    for version in BOTH {
        for quality in QUALITIES {
            let mut hall = Hall::new();
            let publisher = hall.connect(&hello_in(version, "publisher"));
            // The window is small, so that some wait and some do not.
            let client = hall.connect(&encode::Connect {
                properties: &[(PropertyId::RECEIVE_MAXIMUM, Value::Number(3))],
                ..hello_in(version, "client")
            });
            hall.subscribe(client, "a", quality);
            let mut came = Vec::new();
            for number in 0..50_u16 {
                let publish = encode::Publish {
                    identifier: number + 1,
                    ..message("a", "x", quality)
                };
                let payload = number.to_string();
                let payload = payload.as_bytes();
                hall.publish(publisher, &encode::Publish { payload, ..publish });
                if number % 7 == 0 {
                    came.extend(finish(&mut hall, client));
                }
            }
            loop {
                let more = finish(&mut hall, client);
                if more.is_empty() {
                    break;
                }
                came.extend(more);
            }
            let expected: Vec<_> = (0..50).map(|number| number.to_string()).collect();
            assert_eq!(came, expected, "{version:?} {quality:?}");
        }
    }
}

/// Takes what waits and does the client's part of the handshake; gives the payloads.
fn finish(hall: &mut Hall, client: usize) -> Vec<String> {
    let came = hall.messages(client);
    for Came {
        quality,
        identifier,
        ..
    } in &came
    {
        match quality {
            AtMostOnce => {}
            AtLeastOnce => _ = hall.acknowledge(client, Kind::PubAck, *identifier),
            ExactlyOnce => {
                hall.acknowledge(client, Kind::PubRec, *identifier);
                hall.acknowledge(client, Kind::PubComp, *identifier);
            }
        }
    }
    came.into_iter().map(|message| message.payload).collect()
}

/// 5.0: MQTT-3.3.4-9, MQTT-3.3.4-10, MQTT-4.9.0-1, MQTT-4.9.0-2, MQTT-4.9.0-3.
#[test]
fn a_full_window_holds_up_messages_of_qos_1_and_2_and_nothing_else() {
    let (mut hall, publisher, _) = pair(V5, AtLeastOnce);
    let client = hall.connect(&encode::Connect {
        properties: &[(PropertyId::RECEIVE_MAXIMUM, Value::Number(2))],
        ..hello("small")
    });
    hall.subscribe(client, "a", ExactlyOnce);
    for quality in [
        AtLeastOnce,
        ExactlyOnce,
        AtLeastOnce,
        ExactlyOnce,
        AtMostOnce,
    ] {
        hall.publish(publisher, &message("a", "x", quality));
        hall.acknowledge(publisher, Kind::PubRel, 5);
    }
    let came = hall.messages(client);
    let qualities: Vec<_> = came.iter().map(|message| message.quality).collect();
    assert_eq!(qualities, [AtLeastOnce, ExactlyOnce, AtMostOnce]);
    // Everything else is answered.
    assert_eq!(hall.tell(client, b"\xc0\x00").bytes, b"\xd0\x00");
    hall.subscribe(client, "b", AtMostOnce);
    assert_eq!(
        hall.publish(client, &message("b", "x", AtLeastOnce)),
        short(Kind::PubAck, 5)
    );
    let second = came[1].identifier;
    let released = hall.acknowledge(client, Kind::PubRec, second);
    assert_eq!(released, short(Kind::PubRel, second));
    // A PUBREC makes no room: the PUBCOMP does.
    assert_eq!(hall.payloads(client), ["x"], "of `b` alone");
    hall.acknowledge(client, Kind::PubComp, second);
    assert_eq!(hall.messages(client).len(), 1);
    hall.acknowledge(client, Kind::PubAck, came[0].identifier);
    assert_eq!(hall.messages(client).len(), 1);
    assert_eq!(hall.messages(client).len(), 0);
}

/// 5.0: MQTT-3.1.2-24, MQTT-3.1.2-25.
#[test]
fn a_message_that_is_too_long_for_a_client_counts_as_sent() {
    for quality in QUALITIES {
        let (mut hall, publisher, other) = pair(V5, quality);
        let connect = encode::Connect {
            properties: &[
                (PropertyId::MAXIMUM_PACKET_SIZE, Value::Number(40)),
                (PropertyId::RECEIVE_MAXIMUM, Value::Number(1)),
                (PropertyId::SESSION_EXPIRY, Value::Number(60)),
            ],
            clean_start: false,
            ..hello("small")
        };
        let client = hall.connect(&connect);
        hall.subscribe(client, "a", quality);
        let long = "x".repeat(40);
        for payload in [&*long, &long, "short"] {
            hall.publish(publisher, &message("a", payload, quality));
            hall.acknowledge(publisher, Kind::PubRel, 5);
        }
        assert_eq!(hall.payloads(client), ["short"], "it has room for it");
        assert_eq!(hall.payloads(other).len(), 3);
        // Nor is it sent where it waited.
        hall.lose(client);
        hall.publish(publisher, &message("a", &long, quality));
        let client = hall.connect(&connect);
        assert!(
            hall.payloads(client)
                .iter()
                .all(|payload| payload == "short")
        );
    }
}
