//! How a connection begins, and how a client that breaks the rules loses its own and no other.

use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::packet::Packet;
use ringside_wire::mqtt::property::PropertyId;
use ringside_wire::mqtt::{QualityOfService, Version};

use super::peer::{Peer, hello, message, unique};
use super::sessions::with_will;
use super::{case, in_each_version, versions};
use crate::case::{Case, Failure, Target, ensure};

pub(super) const CASES: &[Case] = &[
    case(
        "packets_may_be_cut_at_every_byte",
        "CONNECT, SUBSCRIBE and PUBLISH come byte by byte (3.1.1: MQTT-7.1.1-1; 5.0: MQTT-4.2-1).",
        &[],
        packets_may_be_cut_at_every_byte,
    ),
    case(
        "ping_is_answered",
        "PINGREQ gets PINGRESP (3.1.1: MQTT-3.12.4-1; 5.0: MQTT-3.12.4-1).",
        &[],
        ping_is_answered,
    ),
    case(
        "second_connect_ends_the_connection",
        "A second CONNECT is a protocol error (3.1.1: MQTT-3.1.0-2; 5.0: MQTT-3.1.0-2).",
        &[],
        second_connect_ends_the_connection,
    ),
    case(
        "other_packet_before_connect_ends_the_connection",
        "The first packet is a CONNECT (3.1.1: MQTT-3.1.0-1; 5.0: MQTT-3.1.0-1).",
        &[],
        other_packet_before_connect_ends_the_connection,
    ),
    case(
        "unknown_version_is_refused",
        "A protocol level that the server does not know is refused (3.1.1: MQTT-3.1.2-2; 5.0: \
         MQTT-3.1.2-2).",
        &[],
        unknown_version_is_refused,
    ),
    case(
        "nameless_client_gets_a_session",
        "An empty client identifier is taken with a new session; 5.0 is told the name it got (3.1.1: \
         MQTT-3.1.3-6; 5.0: MQTT-3.1.3-6, MQTT-3.1.3-7, MQTT-3.2.2-16).",
        &[],
        nameless_client_gets_a_session,
    ),
    case(
        "broken_packets_end_only_their_connection",
        "Reserved flags, a length of five bytes, QoS 3, a topic with wildcards, broken UTF-8, packet \
         identifier 0, an empty SUBSCRIBE (3.1.1: MQTT-1.5.3-1, MQTT-2.2.2-2, MQTT-2.3.1-1, MQTT-3.3.1-4, \
         MQTT-3.3.2-1, MQTT-3.3.2-2, MQTT-3.8.1-1, MQTT-3.8.3-3, MQTT-3.8.3-4, MQTT-4.8.0-1).",
        &[],
        broken_packets_end_only_their_connection,
    ),
    case(
        "silent_client_is_dropped",
        "Without a packet for one and a half times its keep alive a client is lost, and its will is published (3.1.1: MQTT-3.1.2-24; \
         5.0: MQTT-3.1.2-22).",
        &["keep_alive"],
        silent_client_is_dropped,
    ),
];

fn packets_may_be_cut_at_every_byte(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("cut"), unique("client"));
        let mut bytes = Vec::new();
        encode::connect(&mut bytes, &hello(version, &name));
        let mut peer = Peer::silent(target, version)?;
        peer.client.send_bytewise(&bytes)?;
        ensure(peer.connect_answer()?.0 == 0, || {
            "it was refused".to_owned()
        })?;
        peer.subscribe(&topic, QualityOfService::AtMostOnce)?;
        bytes.clear();
        for payload in [&b"one"[..], b"two"] {
            let publish = message(&topic, payload, QualityOfService::AtMostOnce);
            encode::publish(&mut bytes, version, &publish);
        }
        peer.client.send_bytewise(&bytes)?;
        peer.expect(&topic, b"one", QualityOfService::AtMostOnce)?;
        peer.expect(&topic, b"two", QualityOfService::AtMostOnce)?;
        peer.expect_nothing()
    })
}

fn ping_is_answered(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let mut peer = Peer::connect(target, version)?;
        (0..3).try_for_each(|_| peer.expect_nothing())
    })
}

fn second_connect_ends_the_connection(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let mut peer = Peer::connect(target, version)?;
        let name = unique("again");
        peer.send(|out, version| encode::connect(out, &hello(version, &name)))?;
        peer.expect_refusal()
    })
}

fn other_packet_before_connect_ends_the_connection(target: &Target) -> Result<(), Failure> {
    let mut peer = Peer::silent(target, Version::V311)?;
    peer.send(|out, version| {
        let publish = message("early", b"", QualityOfService::AtMostOnce);
        encode::publish(out, version, &publish);
    })?;
    peer.expect_refusal()
}

fn unknown_version_is_refused(target: &Target) -> Result<(), Failure> {
    let mut peer = Peer::silent(target, Version::V311)?;
    peer.client
        .send(b"\x10\x0d\x00\x04MQTT\x09\x02\x00\x3c\x00\x01a")?;
    peer.expect_refusal()
}

fn nameless_client_gets_a_session(target: &Target) -> Result<(), Failure> {
    Peer::with(target, &hello(Version::V311, ""))?
        .0
        .expect_nothing()?;
    if !versions(target).contains(&Version::V5) {
        return Ok(());
    }
    let mut peer = Peer::silent(target, Version::V5)?;
    peer.send(|out, version| encode::connect(out, &hello(version, "")))?;
    let named = peer.next("a CONNACK", |packet| match packet {
        Packet::ConnAck(answer) => Some(
            answer
                .properties
                .text(PropertyId::ASSIGNED_CLIENT)
                .is_some(),
        ),
        _ => None,
    })?;
    ensure(named, || {
        "the CONNACK has no Assigned Client Identifier".to_owned()
    })
}

/// Bytes that no server may take, behind a CONNECT of 3.1.1.
const BROKEN: &[(&str, &[u8])] = &[
    (
        "reserved flags of a SUBSCRIBE",
        b"\x80\x06\x00\x01\x00\x01a\x00",
    ),
    ("a packet of kind 0", b"\x00\x00"),
    ("a length of five bytes", b"\x30\xff\xff\xff\xff\x01"),
    ("QoS 3", b"\x36\x05\x00\x01a\x00\x01"),
    ("a topic with wildcards", b"\x30\x04\x00\x02a#"),
    ("a topic that is no UTF-8", b"\x30\x04\x00\x02\xc3\x28"),
    ("a topic longer than its packet", b"\x30\x04\x00\x09aa"),
    ("packet identifier 0", b"\x82\x06\x00\x00\x00\x01a\x00"),
    ("a SUBSCRIBE without a filter", b"\x82\x02\x00\x01"),
    ("a subscription of QoS 3", b"\x82\x06\x00\x01\x00\x01a\x03"),
];

fn broken_packets_end_only_their_connection(target: &Target) -> Result<(), Failure> {
    let mut steady = Peer::connect(target, Version::V311)?;
    for (what, bytes) in BROKEN {
        let mut peer = Peer::connect(target, Version::V311)?;
        peer.client.send_unwanted(bytes);
        let end = peer.expect_refusal();
        end.map_err(|failure| Failure::new(format!("{what}: {failure}")))?;
    }
    steady.expect_nothing()
}

fn silent_client_is_dropped(target: &Target) -> Result<(), Failure> {
    let topic = unique("silent");
    let mut watcher = Peer::connect(target, Version::V311)?;
    watcher.subscribe(&topic, QualityOfService::AtMostOnce)?;
    // All at once, since each waits for seconds.
    let mut silent = Vec::new();
    for &version in versions(target) {
        let name = unique("silent");
        let connect = encode::Connect {
            keep_alive: 1,
            ..with_will(version, &name, &topic)
        };
        silent.push(Peer::with(target, &connect)?.0);
    }
    for peer in &mut silent {
        peer.expect_refusal()?;
        watcher.expect(&topic, b"lost", QualityOfService::AtMostOnce)?;
    }
    watcher.expect_nothing()
}
