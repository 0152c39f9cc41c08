//! How a connection begins: CONNECT, CONNACK, and whose session it is.

use super::super::*;
use super::hall::*;

/// 3.1.1: MQTT-3.1.0-1. 5.0: MQTT-3.1.0-1, MQTT-3.14.0-1.
#[test]
fn nothing_is_said_to_a_client_whose_first_packet_is_no_connect() {
    for bytes in [
        &b"\xc0\x00"[..],
        b"\xe0\x00",
        b"\x30\x03\x00\x01a",
        b"\x82\x06\x00\x01\x00\x01a\x00",
        b"\x40\x02\x00\x01",
    ] {
        let mut hall = Hall::new();
        let client = hall.enter();
        let said = hall.tell(client, bytes);
        assert!(said.ended && said.bytes.is_empty(), "{bytes:02x?} {said:?}");
    }
}

/// 3.1.1: MQTT-3.1.0-2, MQTT-4.8.0-1. 5.0: MQTT-3.1.0-2, MQTT-3.2.0-2, MQTT-4.13.1-1.
#[test]
fn a_second_connect_ends_the_connection_without_another_connack() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        let again = written(|out| encode::connect(out, &hello_in(version, "a")));
        let said = hall.tell(client, &again);
        assert!(said.ended);
        match version {
            V5 => assert_eq!(said.bytes, [0xe0, 1, Reason::PROTOCOL_ERROR.0]),
            V311 => assert_eq!(said.bytes, b""),
        }
    }
}

/// 3.1.1: MQTT-3.1.2-1, MQTT-3.1.2-2, MQTT-3.2.2-4, MQTT-3.2.2-5.
/// 5.0: MQTT-3.1.2-1, MQTT-3.1.2-2, MQTT-3.2.2-6, MQTT-3.2.2-7, MQTT-3.2.2-8.
#[test]
fn another_protocol_or_version_is_refused() {
    for beginning in [
        &b"\x00\x04MQXX\x04"[..],
        b"\x00\x04mqtt\x05",
        b"\x00\x06MQIsdp\x03",
        b"\x00\x04MQTT\x03",
        b"\x00\x04MQTT\x06",
    ] {
        let mut hall = Hall::new();
        let client = hall.enter();
        let mut bytes = vec![0x10, beginning.len() as u8 + 6];
        bytes.extend_from_slice(beginning);
        bytes.extend_from_slice(b"\x02\x00\x00\x00\x01a");
        let said = hall.tell(client, &bytes);
        // The level is not known: 3.1.1 has the answer that all clients can read.
        assert_eq!(said.bytes, b"\x20\x02\x00\x01", "{beginning:02x?}");
        assert!(said.ended);
        assert!(hall.clients[client].as_ref().unwrap().session.is_none());
    }
}

/// A CONNECT that is wrong: its statements, its flags, what stands in front of the will and its properties of
/// 5.0, and what stands behind.
type Broken = (&'static str, u8, &'static [u8], &'static [u8]);

const BROKEN: &[Broken] = &[
    (
        "3.1.1: MQTT-3.1.2-3. 5.0: MQTT-3.1.2-3. Reserved flag",
        0x03,
        b"\0\x01c",
        b"",
    ),
    (
        "3.1.1: MQTT-3.1.2-14. 5.0: MQTT-3.1.2-12. Will QoS 3",
        0x1e,
        b"\0\x01c",
        b"\0\x01w\0\x01x",
    ),
    (
        "3.1.1: MQTT-3.1.2-11, MQTT-3.1.2-13. 5.0: MQTT-3.1.2-11. Will QoS without a will",
        0x0a,
        b"\0\x01c",
        b"",
    ),
    (
        "3.1.1: MQTT-3.1.2-11, MQTT-3.1.2-15. 5.0: MQTT-3.1.2-13. Will retain without a will",
        0x22,
        b"\0\x01c",
        b"",
    ),
    (
        "3.1.1: MQTT-3.1.2-11. A will without its flag",
        0x02,
        b"\0\x01c",
        b"\0\x01w\0\x01x",
    ),
    (
        "3.1.1: MQTT-3.1.2-9. 5.0: MQTT-3.1.2-9. No will behind its flag",
        0x06,
        b"\0\x01c",
        b"",
    ),
    (
        "3.1.1: MQTT-3.1.2-18. 5.0: MQTT-3.1.2-16. A user name without its flag",
        0x02,
        b"\0\x01c",
        b"\0\x01u",
    ),
    (
        "3.1.1: MQTT-3.1.2-19. 5.0: MQTT-3.1.2-17. No user name behind its flag",
        0x82,
        b"\0\x01c",
        b"",
    ),
    (
        "3.1.1: MQTT-3.1.2-20. 5.0: MQTT-3.1.2-18. A password without its flag",
        0x82,
        b"\0\x01c",
        b"\0\x01u\0\x01p",
    ),
    (
        "3.1.1: MQTT-3.1.2-21. 5.0: MQTT-3.1.2-19. No password behind its flag",
        0xc2,
        b"\0\x01c",
        b"\0\x01u",
    ),
    (
        "3.1.1: MQTT-3.1.3-3. 5.0: MQTT-3.1.3-3. No client identifier",
        0x02,
        b"",
        b"",
    ),
    (
        "3.1.1: MQTT-1.5.3-1, MQTT-3.1.3-4. 5.0: MQTT-1.5.4-1, MQTT-3.1.3-4. No UTF-8",
        0x02,
        b"\0\x02\xc3\x28",
        b"",
    ),
    (
        "3.1.1: MQTT-1.5.3-1. 5.0: MQTT-1.5.4-1. A surrogate",
        0x02,
        b"\0\x03\xed\xa0\x80",
        b"",
    ),
    (
        "3.1.1: MQTT-1.5.3-2. 5.0: MQTT-1.5.4-2. U+0000",
        0x02,
        b"\0\x02c\0",
        b"",
    ),
    (
        "3.1.1: MQTT-3.1.3-10. 5.0: MQTT-3.1.3-11. A will topic that is no UTF-8",
        0x06,
        b"\0\x01c",
        b"\0\x01\xff\0\x01x",
    ),
    (
        "3.1.1: MQTT-3.1.3-11. 5.0: MQTT-3.1.3-12. A user name that is no UTF-8",
        0x82,
        b"\0\x01c",
        b"\0\x01\xff",
    ),
    (
        "3.1.1: MQTT-3.1.3-1. 5.0: MQTT-3.1.3-1. The password in front of the user name",
        0xc2,
        b"\0\x01c",
        b"\0\x01\xff\0\x01u",
    ),
];

/// 3.1.1: MQTT-3.1.4-1, MQTT-3.2.2-6. 5.0: MQTT-3.1.4-1.
#[test]
fn a_connect_that_is_wrong_ends_the_connection_without_an_answer() {
    for version in BOTH {
        for &(what, flags, before, behind) in BROKEN {
            let mut hall = Hall::new();
            let client = hall.enter();
            let said = hall.tell(client, &raw_connect(version, flags, before, behind));
            assert!(
                said.ended && said.bytes.is_empty(),
                "{version:?} {what} {said:?}"
            );
        }
        // The same bytes without a fault are taken.
        let mut hall = Hall::new();
        let client = hall.enter();
        let right = raw_connect(
            version,
            0xf6,
            b"\0\x01c",
            b"\0\x01w\0\x01x\0\x01u\0\x01\xff",
        );
        assert_eq!(hall.tell(client, &right).bytes[..1], b"\x20"[..]);
    }
}

/// 3.1.1: MQTT-3.1.2-22.
#[test]
fn a_password_without_a_user_name_is_wrong_in_311_alone() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.enter();
        let said = hall.tell(client, &raw_connect(version, 0x42, b"\0\x01c", b"\0\x01p"));
        assert_eq!(said.ended, version == V311);
    }
}

/// 3.1.1: MQTT-3.1.3-5, MQTT-3.1.4-4. 5.0: MQTT-3.1.3-5, MQTT-3.1.4-5.
#[test]
fn names_of_letters_and_digits_are_taken() {
    const ALL: &str = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for version in BOTH {
        let mut hall = Hall::new();
        for length in 1..=23 {
            for begin in (0..ALL.len() - length).step_by(length) {
                hall.connect(&hello_in(version, &ALL[begin..begin + length]));
            }
        }
    }
}

/// 3.1.1: MQTT-3.1.3-6. 5.0: MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16.
#[test]
fn a_client_without_a_name_gets_one_that_nobody_has() {
    for version in BOTH {
        let mut hall = Hall::new();
        // Names that the broker might think of.
        let names: Vec<String> = (5..15).map(|number| format!("auto-{number}")).collect();
        let named = names
            .iter()
            .map(|name| hall.connect(&hello_in(version, name)));
        let named: Vec<_> = named.collect();
        let nameless: Vec<_> = (0..3)
            .map(|_| hall.connect(&hello_in(version, "")))
            .collect();
        for client in [named, nameless].concat() {
            assert_eq!(hall.take(client), b"", "nobody was taken over");
            hall.subscribe(client, "all", AtMostOnce);
            hall.publish(client, &message("all", "hello", AtMostOnce));
            assert_eq!(hall.payloads(client).last().unwrap(), "hello");
        }
    }
    // 5.0 is told, and can come back under that name.
    let mut hall = Hall::new();
    let client = hall.enter();
    let connect = encode::Connect {
        properties: LASTING,
        ..hello("")
    };
    let answer = hall.say(client, |out| encode::connect(out, &connect));
    let mut name = String::new();
    each_packet(V5, &answer, |packet| match packet {
        Packet::ConnAck(answer) => {
            name.push_str(answer.properties.text(PropertyId::ASSIGNED_CLIENT).unwrap());
        }
        other => panic!("{other:?}"),
    });
    hall.leave(client);
    assert!(hall.connect_present(&lasting(V5, &name)).1);
}

/// 3.1.1: MQTT-3.1.3-7, MQTT-3.1.3-8, MQTT-3.1.3-9, MQTT-3.2.2-4, MQTT-3.2.2-5.
#[test]
fn a_session_without_a_name_is_refused_in_311() {
    let mut hall = Hall::new();
    let client = hall.enter();
    let connect = lasting(V311, "");
    let said = hall.tell(client, &written(|out| encode::connect(out, &connect)));
    assert_eq!(said.bytes, b"\x20\x02\x00\x02");
    assert!(said.ended);
}

/// 3.1.1: MQTT-3.1.4-5. 5.0: MQTT-3.1.4-6.
#[test]
fn nothing_behind_a_refused_connect_is_processed() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.enter();
        let mut bytes = b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01a".to_vec();
        encode::connect(&mut bytes, &hello_in(version, "a"));
        encode::publish(&mut bytes, version, &kept("news", "late", AtMostOnce));
        let said = hall.tell(client, &bytes);
        assert_eq!(said.bytes, b"\x20\x02\x00\x01");
        assert!(said.ended);
        let reader = hall.connect(&hello_in(version, "reader"));
        hall.subscribe(reader, "#", AtMostOnce);
        assert_eq!(hall.take(reader), b"");
    }
}

/// 3.1.1: MQTT-3.2.0-1, MQTT-3.1.4-4, MQTT-3.2.2-1. 5.0: MQTT-3.2.0-1, MQTT-3.2.0-2, MQTT-3.1.4-5, MQTT-3.2.2-1.
#[test]
fn the_first_packet_of_the_broker_is_a_connack_and_the_only_one() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.enter();
        assert_eq!(hall.take(client), b"");
        // Whoever does not wait for the answer gets it first all the same.
        let mut bytes = written(|out| encode::connect(out, &hello_in(version, "a")));
        encode::subscribe(&mut bytes, version, 1, &[], &[wish("a", AtMostOnce)]);
        encode::publish(&mut bytes, version, &message("a", "x", AtLeastOnce));
        encode::ping(&mut bytes, Kind::PingReq);
        let said = hall.tell(client, &bytes);
        let mut kinds = Vec::new();
        each_packet(version, &said.bytes, |packet| match packet {
            Packet::ConnAck(answer) => {
                assert_eq!((answer.session_present, answer.code), (false, 0));
                kinds.push("CONNACK");
            }
            Packet::SubAck(_) => kinds.push("SUBACK"),
            Packet::Acknowledge(_) => kinds.push("PUBACK"),
            Packet::PingResp => kinds.push("PINGRESP"),
            other => panic!("{other:?}"),
        });
        assert_eq!(kinds, ["CONNACK", "SUBACK", "PUBACK", "PINGRESP"]);
    }
}

/// 3.1.1: MQTT-3.1.2-4, MQTT-3.1.4-3, MQTT-3.2.2-1, MQTT-3.2.2-2, MQTT-3.2.2-3.
/// 5.0: MQTT-3.1.2-5, MQTT-3.1.2-6, MQTT-3.1.4-4, MQTT-3.2.2-2, MQTT-3.2.2-3.
#[test]
fn session_present_says_whether_there_was_one() {
    for version in BOTH {
        let mut hall = Hall::new();
        for (clean, present) in [(false, false), (false, true), (true, false), (false, false)] {
            let connect = match clean {
                true => hello_in(version, "a"),
                false => lasting(version, "a"),
            };
            let (client, was) = hall.connect_present(&connect);
            assert_eq!(was, present, "{version:?} {clean}");
            hall.leave(client);
        }
    }
}

/// 3.1.1: MQTT-3.1.3-2, MQTT-3.1.4-2. 5.0: MQTT-3.1.3-2, MQTT-3.1.4-3.
#[test]
fn a_client_that_connects_again_takes_over_and_no_other_does() {
    for version in BOTH {
        for connect in [hello_in(version, "a"), lasting(version, "a")] {
            let mut hall = Hall::new();
            let first = hall.connect(&connect);
            let other = hall.connect(&hello_in(version, "A"));
            hall.connect(&connect);
            let mut out = Vec::new();
            let client = hall.clients[first].as_mut().unwrap();
            assert_eq!(hall.mqtt.deliver(client, 0, &mut out), Delivery::Close);
            match version {
                V5 => assert_eq!(out, [0xe0, 1, Reason::SESSION_TAKEN_OVER.0]),
                V311 => assert_eq!(out, b""),
            }
            assert_eq!(hall.take(other), b"");
        }
    }
}

/// 5.0: MQTT-3.1.4-2, MQTT-3.2.2-7, MQTT-4.12.0-1, MQTT-4.12.0-4, MQTT-4.12.0-6.
#[test]
fn an_authentication_that_nobody_knows_is_refused() {
    let mut hall = Hall::new();
    let client = hall.enter();
    let connect = encode::Connect {
        properties: &[(PropertyId::AUTHENTICATION_METHOD, Value::Text("secret"))],
        ..hello("a")
    };
    let said = hall.tell(client, &written(|out| encode::connect(out, &connect)));
    let refused = [0x20, 3, 0, Reason::BAD_AUTHENTICATION_METHOD.0, 0];
    assert_eq!(said.bytes, refused);
    assert!(said.ended);
    // Who names no method is told of none.
    let client = hall.enter();
    let answer = hall.say(client, |out| encode::connect(out, &hello("a")));
    each_packet(V5, &answer, |packet| match packet {
        Packet::ConnAck(answer) => {
            let method = answer.properties.text(PropertyId::AUTHENTICATION_METHOD);
            assert_eq!((answer.code, method), (0, None));
        }
        other => panic!("{other:?}"),
    });
}

/// A CONNECT byte by byte.
fn raw_connect(version: Version, flags: u8, before: &[u8], behind: &[u8]) -> Vec<u8> {
    let level = if version == V5 { 5 } else { 4 };
    let mut body = [b"\0\x04MQTT", &[level, flags, 0, 0][..]].concat();
    let none = if version == V5 { &b"\0"[..] } else { b"" };
    body.extend_from_slice(none);
    body.extend_from_slice(before);
    body.extend_from_slice(if flags & 4 != 0 { none } else { b"" });
    body.extend_from_slice(behind);
    [&[0x10, body.len() as u8][..], &body].concat()
}
