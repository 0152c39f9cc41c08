//! One packet for each way to be broken, with what it is refused for.

use ringside_wire::mqtt::Version::{self, V5, V311};

use super::Sample;
use crate::mqtt_packet::PACKET_MAX;

/// All of them.
pub(crate) fn samples() -> Vec<Sample> {
    let sample = |&(name, version, first, body, because): &Broken| Sample {
        name: format!("broken_{name}"),
        version,
        packet: packet(first, body),
        broken: Some(because),
    };
    let bytes = |&(name, bytes, because): &(&str, &[u8], _)| Sample {
        name: format!("broken_{name}"),
        version: V5,
        packet: bytes.to_vec(),
        broken: Some(because),
    };
    let too_large = Sample {
        name: "broken_too_large".to_owned(),
        version: V5,
        packet: packet(0x30, &[0; PACKET_MAX - 2]),
        broken: Some("a packet larger than the maximum"),
    };
    let bodies = BODIES.iter().chain(PROPERTIES).chain(REASONS);
    let headers = HEADERS.iter().map(bytes);
    bodies
        .map(sample)
        .chain(headers)
        .chain([too_large])
        .collect()
}

/// Name, version of the connection, first byte, what follows the length, and the reason.
type Broken = (&'static str, Version, u8, &'static [u8], &'static str);

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = body.len();
    while length >= 0x80 {
        packet.push(length as u8 | 0x80);
        length >>= 7;
    }
    packet.push(length as u8);
    packet.extend_from_slice(body);
    packet
}

const HEADERS: &[(&str, &[u8], &str)] = &[
    ("kind_0", b"\x00\x00", "a packet of kind 0"),
    ("flags_of_connect", b"\x11\x00", "reserved flags are set"),
    ("flags_of_pub_rel", b"\x60\x00", "reserved flags are set"),
    ("flags_of_subscribe", b"\x80\x00", "reserved flags are set"),
    ("flags_of_auth", b"\xf8\x00", "reserved flags are set"),
    ("qos_3", b"\x36\x00", "a PUBLISH of QoS 3"),
    ("duplicate_of_qos_0", b"\x38\x00", "a duplicate of QoS 0"),
    (
        "length_of_five",
        b"\x30\xff\xff\xff\xff\x7f",
        "a length of more than four bytes",
    ),
    (
        "length_padded",
        b"\x30\x80\x00",
        "a length in more bytes than it needs",
    ),
    ("length_cut", b"\x30\xff", INCOMPLETE),
    ("body_cut", b"\x30\x05\x00", INCOMPLETE),
];

/// There is more to come.
pub(crate) const INCOMPLETE: &str = "incomplete";

const SHORT: &str = "a packet that is shorter than what it holds";
const LONG: &str = "a packet that is longer than what it holds";
const VERSION: &str = "a version that is neither 3.1.1 nor 5.0";

const BODIES: &[Broken] = &[
    ("connect_empty", V5, 0x10, b"", SHORT),
    (
        "connect_other_protocol",
        V5,
        0x10,
        b"\0\x06MQIsdp\x03\x02\0\0\0\0",
        VERSION,
    ),
    (
        "connect_version_6",
        V5,
        0x10,
        b"\0\x04MQTT\x06\x02\0\0\0\0\0",
        VERSION,
    ),
    (
        "connect_reserved",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x03\0\0\0\0\0",
        "the reserved flag of a CONNECT is set",
    ),
    (
        "connect_will_of_qos_3",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x1c\0\0\0\0\0",
        "a will of QoS 3",
    ),
    (
        "connect_no_will",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x20\0\0\0\0\0",
        "flags of a will that is not there",
    ),
    (
        "connect_password_alone",
        V311,
        0x10,
        b"\0\x04MQTT\x04\x42\0\0\0\0\0\x01p",
        "a password without a user name",
    ),
    (
        "connect_will_empty_topic",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x06\0\0\0\0\0\0\0\0\0\0",
        "an empty topic",
    ),
    (
        "connect_will_wildcard",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x06\0\0\0\0\0\0\0\x01+\0\0",
        "a topic name with wildcards",
    ),
    (
        "connect_cut",
        V5,
        0x10,
        b"\0\x04MQTT\x05\xc2\0\0\0\0\x01c\0\x01u\0\x02p",
        SHORT,
    ),
    (
        "connect_long",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x02\0\0\0\0\x01cx",
        LONG,
    ),
    (
        "conn_ack_reserved",
        V5,
        0x20,
        b"\x02\0\0",
        "reserved flags of a CONNACK are set",
    ),
    (
        "conn_ack_present_refused",
        V311,
        0x20,
        b"\x01\x05",
        "a session with a refusal",
    ),
    ("publish_empty_topic", V311, 0x30, b"\0\0", "an empty topic"),
    (
        "publish_wildcard",
        V5,
        0x30,
        b"\0\x03a/#\0",
        "a topic name with wildcards",
    ),
    (
        "publish_zero",
        V5,
        0x30,
        b"\0\x03a\0b\0",
        "a string with U+0000",
    ),
    (
        "publish_no_utf8",
        V5,
        0x30,
        b"\0\x02\xc3\x28\0",
        "a string that is no UTF-8",
    ),
    (
        "publish_surrogate",
        V5,
        0x30,
        b"\0\x03\xed\xa0\x80\0",
        "a string that is no UTF-8",
    ),
    (
        "publish_overlong_utf8",
        V5,
        0x30,
        b"\0\x02\xc1\x81\0",
        "a string that is no UTF-8",
    ),
    ("publish_topic_cut", V5, 0x30, b"\0\x09a", SHORT),
    (
        "publish_identifier_0",
        V5,
        0x32,
        b"\0\x01a\0\0\0",
        "a packet identifier of 0",
    ),
    ("publish_identifier_cut", V5, 0x34, b"\0\x01a\x01", SHORT),
    (
        "acknowledge_identifier_0",
        V311,
        0x40,
        b"\0\0",
        "a packet identifier of 0",
    ),
    ("acknowledge_long", V311, 0x40, b"\0\x01\0", LONG),
    (
        "subscribe_without_filter",
        V5,
        0x82,
        b"\0\x01\0",
        "a SUBSCRIBE without a filter",
    ),
    (
        "subscribe_of_qos_3",
        V5,
        0x82,
        b"\0\x01\0\0\x01a\x03",
        "a subscription of QoS 3",
    ),
    (
        "subscribe_retain_3",
        V5,
        0x82,
        b"\0\x01\0\0\x01a\x30",
        "a retain handling of 3",
    ),
    (
        "subscribe_reserved",
        V5,
        0x82,
        b"\0\x01\0\0\x01a\x40",
        "reserved bits of a subscription are set",
    ),
    (
        "subscribe_reserved_311",
        V311,
        0x82,
        b"\0\x01\0\x01a\x04",
        "reserved bits of a QoS are set",
    ),
    (
        "subscribe_shared_no_local",
        V5,
        0x82,
        b"\0\x01\0\0\x0a$share/g/a\x04",
        "no-local on a shared subscription",
    ),
    (
        "subscribe_second_cut",
        V5,
        0x82,
        b"\0\x01\0\0\x01a\0\0\x02b",
        SHORT,
    ),
    (
        "subscribe_without_options",
        V5,
        0x82,
        b"\0\x01\0\0\x01a",
        SHORT,
    ),
    (
        "unsubscribe_without_filter",
        V5,
        0xa2,
        b"\0\x01\0",
        "an UNSUBSCRIBE without a filter",
    ),
    (
        "unsubscribe_zero",
        V5,
        0xa2,
        b"\0\x01\0\0\x01\0",
        "a string with U+0000",
    ),
    (
        "sub_ack_empty",
        V311,
        0x90,
        b"\0\x01",
        "an answer without a code",
    ),
    (
        "unsub_ack_empty",
        V5,
        0xb0,
        b"\0\x01\0",
        "an answer without a code",
    ),
    ("unsub_ack_long", V311, 0xb0, b"\0\x01\0", LONG),
    ("ping_long", V5, 0xc0, b"\0", LONG),
    ("disconnect_long", V311, 0xe0, b"\0", LONG),
    (
        "auth",
        V311,
        0xf0,
        b"",
        "an AUTH, which 3.1.1 does not have",
    ),
];

const VALUE: &str = "a property with a value that is not allowed";
const TWICE: &str = "a property that stands twice";
const PLACE: &str = "a property that this packet does not have";

const PROPERTIES: &[Broken] = &[
    (
        "property_0",
        V5,
        0x30,
        b"\0\x01a\x01\0",
        "a property that does not exist",
    ),
    (
        "property_unknown",
        V5,
        0x30,
        b"\0\x01a\x02\x7f\0",
        "a property that does not exist",
    ),
    ("properties_cut", V5, 0x30, b"\0\x01a\x09\x01", SHORT),
    (
        "properties_length_of_five",
        V5,
        0x30,
        b"\0\x01a\xff\xff\xff\xff\x01",
        "a length of more than four bytes",
    ),
    (
        "properties_length_padded",
        V5,
        0x30,
        b"\0\x01a\x80\0",
        "a length in more bytes than it needs",
    ),
    (
        "property_over_the_end",
        V5,
        0x30,
        b"\0\x01a\x03\x02\0\0\0\0",
        SHORT,
    ),
    (
        "property_misplaced",
        V5,
        0x30,
        b"\0\x01a\x03\x21\0\x01",
        PLACE,
    ),
    (
        "property_of_will_in_connect",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x02\0\0\x05\x18\0\0\0\x01\0\0",
        PLACE,
    ),
    (
        "property_of_publish_in_will",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x06\0\0\0\0\0\x03\x23\0\x01\0\x01w\0\0",
        PLACE,
    ),
    (
        "property_of_sub_ack",
        V5,
        0x90,
        b"\0\x01\x02\x0b\x01\0",
        PLACE,
    ),
    ("property_of_disconnect", V5, 0xe0, b"\0\x02\x01\x01", PLACE),
    ("property_of_auth", V5, 0xf0, b"\0\x05\x11\0\0\0\x01", PLACE),
    (
        "property_twice",
        V5,
        0x30,
        b"\0\x01a\x04\x01\0\x01\0",
        TWICE,
    ),
    (
        "subscription_twice",
        V5,
        0x82,
        b"\0\x01\x04\x0b\x01\x0b\x02\0\x01a\0",
        TWICE,
    ),
    ("flag_of_2", V5, 0x30, b"\0\x01a\x02\x01\x02", VALUE),
    (
        "receive_maximum_0",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x02\0\0\x03\x21\0\0\0\0",
        VALUE,
    ),
    (
        "packet_size_0",
        V5,
        0x10,
        b"\0\x04MQTT\x05\x02\0\0\x05\x27\0\0\0\0\0\0",
        VALUE,
    ),
    (
        "subscription_0",
        V5,
        0x82,
        b"\0\x01\x02\x0b\0\0\x01a\0",
        VALUE,
    ),
    (
        "response_wildcard",
        V5,
        0x30,
        b"\0\x01a\x04\x08\0\x01#",
        "a response topic with wildcards, or an empty one",
    ),
    (
        "response_empty",
        V5,
        0x30,
        b"\0\x01a\x03\x08\0\0",
        "a response topic with wildcards, or an empty one",
    ),
    (
        "user_without_value",
        V5,
        0x30,
        b"\0\x01a\x04\x26\0\x01n",
        SHORT,
    ),
    (
        "user_with_zero",
        V5,
        0x30,
        b"\0\x01a\x06\x26\0\x01\0\0\0",
        "a string with U+0000",
    ),
];

const UNSAID: &str = "a reason that this packet does not say";

const REASONS: &[Broken] = &[
    ("conn_ack_code_6", V311, 0x20, b"\0\x06", UNSAID),
    ("conn_ack_reason", V5, 0x20, b"\0\x01\0", UNSAID),
    ("pub_ack_reason", V5, 0x40, b"\0\x01\x92", UNSAID),
    ("pub_rec_reason", V5, 0x50, b"\0\x01\x01", UNSAID),
    ("pub_rel_reason", V5, 0x62, b"\0\x01\x80", UNSAID),
    ("pub_comp_reason", V5, 0x70, b"\0\x01\x10", UNSAID),
    ("sub_ack_code", V311, 0x90, b"\0\x01\x03", UNSAID),
    ("sub_ack_reason", V5, 0x90, b"\0\x01\0\x81", UNSAID),
    ("unsub_ack_reason", V5, 0xb0, b"\0\x01\0\x01", UNSAID),
    ("disconnect_reason", V5, 0xe0, b"\x01", UNSAID),
    ("auth_reason", V5, 0xf0, b"\x04", UNSAID),
];
