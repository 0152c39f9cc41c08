//! What lies in a stream of bytes: many packets in one piece, ends, and readers that are late.

use ringside_wire::mqtt::Version;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::Packet;

use super::peer::{AtLeastOnce, AtMostOnce, Peer, hello, message, unique, wish};
use super::sessions::with_will;
use super::{case, in_each_version};
use crate::case::{Case, Failure, Target, ensure};

pub(super) const CASES: &[Case] = &[
    case(
        "client_need_not_wait_for_its_connack",
        "CONNECT, SUBSCRIBE, PUBLISH and PINGREQ come in one piece, and the CONNACK is the first answer \
         (3.1.1: MQTT-3.2.0-1, MQTT-3.8.4-1; 5.0: MQTT-3.2.0-1, MQTT-3.2.0-2, MQTT-3.8.4-1).",
        &[],
        client_need_not_wait_for_its_connack,
    ),
    case(
        "messages_in_one_piece_keep_their_order",
        "A hundred messages are sent with one call (3.1.1: MQTT-4.6.0-6; 5.0: MQTT-4.6.0-5).",
        &[],
        messages_in_one_piece_keep_their_order,
    ),
    case(
        "late_reader_gets_what_waited",
        "A client does not read until 800,000 bytes wait for it, then gets all of them (3.1.1: \
         MQTT-4.5.0-1; 5.0: MQTT-4.5.0-1).",
        &[],
        late_reader_gets_what_waited,
    ),
    case(
        "nothing_counts_behind_a_refused_connect",
        "Another CONNECT and a PUBLISH behind one of an unknown version are not processed (3.1.1: \
         MQTT-3.1.4-5, MQTT-3.2.2-5; 5.0: MQTT-3.1.4-6).",
        &[],
        nothing_counts_behind_a_refused_connect,
    ),
    case(
        "broken_connect_is_not_accepted",
        "The reserved flag, a will of QoS 3, a name that is no UTF-8, fields that lack; 3.1.1 has no \
         answer to them (3.1.1: MQTT-3.1.2-3, MQTT-3.1.2-14, MQTT-3.1.3-4, MQTT-3.1.4-1; 5.0: \
         MQTT-3.1.2-3, MQTT-3.1.2-12, MQTT-3.1.3-4, MQTT-3.1.4-1).",
        &[],
        broken_connect_is_not_accepted,
    ),
    case(
        "end_of_the_sending_side_publishes_the_will",
        "A client that sends no more, and said no goodbye, is lost (3.1.1: MQTT-3.1.2-8; 5.0: \
         MQTT-3.1.2-8).",
        &[],
        end_of_the_sending_side_publishes_the_will,
    ),
];

fn client_need_not_wait_for_its_connack(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("piece"), unique("client"));
        let mut peer = Peer::silent(target, version)?;
        peer.send(|out, version| {
            encode::connect(out, &hello(version, &name));
            encode::subscribe(out, version, 77, &[], &[wish(&topic, AtMostOnce)]);
            encode::publish(out, version, &message(&topic, b"hello", AtLeastOnce));
            encode::ping(out, Kind::PingReq);
        })?;
        ensure(peer.connect_answer()?.0 == 0, || {
            "it was refused".to_owned()
        })?;
        // The message takes another way than the answers and may come at any place.
        let mut came = Vec::new();
        for _ in 0..4 {
            came.push(
                peer.next("an answer or the message", |packet| match packet {
                    Packet::SubAck(answer) => Some(("SUBACK", answer.identifier)),
                    Packet::Acknowledge(answer) => Some(("PUBACK", answer.identifier)),
                    Packet::Publish(_) => Some(("PUBLISH", 0)),
                    Packet::PingResp => Some(("PINGRESP", 0)),
                    _ => None,
                })?,
            );
        }
        came.sort_unstable();
        let expected = [
            ("PINGRESP", 0),
            ("PUBACK", 5),
            ("PUBLISH", 0),
            ("SUBACK", 77),
        ];
        ensure(came == expected, || format!("{came:?} came"))
    })
}

fn messages_in_one_piece_keep_their_order(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("piece");
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtMostOnce)?;
        publisher.send(|out, version| {
            for number in 0..100_u8 {
                encode::publish(out, version, &message(&topic, &[number], AtMostOnce));
            }
        })?;
        (0..100_u8).try_for_each(|number| {
            subscriber.expect(&topic, &[number], AtMostOnce)?;
            Ok(())
        })
    })
}

fn late_reader_gets_what_waited(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("late");
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtLeastOnce)?;
        let payload = |number| crate::client::pattern_bytes(number, 16_000);
        for number in 0..50 {
            publisher.publish(&topic, &payload(number), AtLeastOnce)?;
        }
        for number in 0..50 {
            let came = subscriber.message()?;
            ensure(came.payload == payload(number), || {
                format!("message {number} is another")
            })?;
            subscriber.acknowledge(Kind::PubAck, came.identifier)?;
        }
        subscriber.expect_nothing()
    })
}

fn nothing_counts_behind_a_refused_connect(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("behind"), unique("client"));
        let mut subscriber = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtMostOnce)?;
        let mut peer = Peer::silent(target, Version::V311)?;
        let mut bytes = b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01a".to_vec();
        encode::connect(&mut bytes, &hello(version, &name));
        encode::publish(&mut bytes, version, &message(&topic, b"not", AtMostOnce));
        peer.client.send_unwanted(&bytes);
        peer.expect_refusal()?;
        subscriber.expect_nothing()
    })
}

/// Flags of a CONNECT and the payload behind them, in which nothing has properties.
const BROKEN: &[(&str, u8, &[u8])] = &[
    ("the reserved flag", 0x03, b"\0\x01c"),
    ("a will of QoS 3", 0x1e, b"\0\x01c\0\x01w\0\x01x"),
    ("a name that is no UTF-8", 0x02, b"\0\x02\xc3\x28"),
    ("no name", 0x02, b""),
    ("no user name behind its flag", 0x82, b"\0\x01c"),
];

fn broken_connect_is_not_accepted(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        for &(what, flags, payload) in BROKEN {
            let mut peer = Peer::silent(target, version)?;
            let (level, none) = match version {
                Version::V311 => (4, &b""[..]),
                Version::V5 => (5, &b"\0"[..]),
            };
            let begin = [b"\0\x04MQTT", &[level, flags, 0, 60][..]].concat();
            let body = [&begin[..], none, payload].concat();
            peer.client
                .send_unwanted(&[&[0x10, body.len() as u8][..], &body].concat());
            let end = match version {
                Version::V311 => peer.client.expect_end(),
                Version::V5 => peer.expect_refusal(),
            };
            end.map_err(|failure| Failure::new(format!("{what}: {failure}")))?;
        }
        Ok(())
    })
}

fn end_of_the_sending_side_publishes_the_will(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("will"), unique("client"));
        let mut subscriber = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtLeastOnce)?;
        let (mut lost, _) = Peer::with(target, &with_will(version, &name, &topic))?;
        lost.client.finish()?;
        subscriber.expect(&topic, b"lost", AtLeastOnce)?;
        lost.client.expect_end()?;
        subscriber.expect_nothing()
    })
}
