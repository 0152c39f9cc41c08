//! Writes packets to the end of a buffer (MQTT 5.0, 3).

use super::header::Kind;
use super::packet::Wanted;
use super::property::{Properties, PropertyId, Value};
use super::reason::Reason;
use super::{QualityOfService, Version};

/// The largest packet that the length of a header can say, its header included.
pub const PACKET_MAX: usize = 268_435_455 + 5;

/// Properties to write, in their order.
pub type List<'a> = &'a [(PropertyId, Value<'a>)];

/// A CONNECT to write.
#[derive(Debug, Clone, Copy)]
pub struct Connect<'a> {
    /// Version.
    pub version: Version,
    /// Clean Session of 3.1.1, Clean Start of 5.0.
    pub clean_start: bool,
    /// Seconds; 0 for none.
    pub keep_alive: u16,
    /// Client identifier.
    pub client: &'a str,
    /// What is published when the client is lost.
    pub will: Option<Will<'a>>,
    /// User name.
    pub user_name: Option<&'a str>,
    /// Password.
    pub password: Option<&'a [u8]>,
    /// Properties; left out in 3.1.1.
    pub properties: List<'a>,
}

/// A will to write.
#[derive(Debug, Clone, Copy)]
pub struct Will<'a> {
    /// Where it is published.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// How often it arrives.
    pub quality: QualityOfService,
    /// Whether it is kept.
    pub retain: bool,
    /// Properties; left out in 3.1.1.
    pub properties: List<'a>,
}

/// A PUBLISH to write.
#[derive(Debug, Clone, Copy)]
pub struct Publish<'a> {
    /// It may have been sent before.
    pub duplicate: bool,
    /// How often it arrives.
    pub quality: QualityOfService,
    /// It is to be kept; or, from a server, it was.
    pub retain: bool,
    /// Where; empty when an alias stands for it.
    pub topic: &'a str,
    /// Packet identifier, left out at QoS 0.
    pub identifier: u16,
    /// Properties; left out in 3.1.1.
    pub properties: List<'a>,
    /// The message.
    pub payload: &'a [u8],
}

/// Appends a CONNECT.
pub fn connect(out: &mut Vec<u8>, connect: &Connect<'_>) {
    let Connect { version, will, .. } = *connect;
    let mut flags = u8::from(connect.clean_start) << 1
        | u8::from(connect.user_name.is_some()) << 7
        | u8::from(connect.password.is_some()) << 6;
    if let Some(will) = will {
        flags |= 1 << 2 | (will.quality as u8) << 3 | u8::from(will.retain) << 5;
    }
    packet(out, Kind::Connect, |out| {
        text(out, "MQTT");
        out.push(if version == Version::V5 { 5 } else { 4 });
        out.push(flags);
        two_bytes(out, connect.keep_alive);
        list(out, version, connect.properties);
        text(out, connect.client);
        if let Some(will) = will {
            list(out, version, will.properties);
            text(out, will.topic);
            binary(out, will.payload);
        }
        if let Some(name) = connect.user_name {
            text(out, name);
        }
        if let Some(password) = connect.password {
            binary(out, password);
        }
    });
}

/// Appends a CONNACK; `code` is of the version.
pub fn conn_ack(
    out: &mut Vec<u8>,
    version: Version,
    session_present: bool,
    code: u8,
    properties: List<'_>,
) {
    packet(out, Kind::ConnAck, |out| {
        out.extend_from_slice(&[u8::from(session_present), code]);
        list(out, version, properties);
    });
}

/// Appends a PUBLISH. Gives the place in `out` of its packet identifier, where it has one.
pub fn publish(out: &mut Vec<u8>, version: Version, publish: &Publish<'_>) -> Option<usize> {
    let flags =
        u8::from(publish.duplicate) << 3 | (publish.quality as u8) << 1 | u8::from(publish.retain);
    let identified = publish.quality != QualityOfService::AtMostOnce;
    let of_properties = match version {
        Version::V311 => 0,
        Version::V5 => {
            let length = list_length(publish.properties);
            length + variable_length(length)
        }
    };
    let remaining = 2
        + publish.topic.len()
        + 2 * usize::from(identified)
        + of_properties
        + publish.payload.len();
    out.reserve(5 + remaining);
    out.push((Kind::Publish as u8) << 4 | flags);
    variable(out, remaining);
    text(out, publish.topic);
    let at = out.len();
    if identified {
        two_bytes(out, publish.identifier);
    }
    list(out, version, publish.properties);
    out.extend_from_slice(publish.payload);
    identified.then_some(at)
}

/// Appends a PUBACK, PUBREC, PUBREL or PUBCOMP. Success without properties is left out, as both
/// versions allow.
pub fn acknowledge(
    out: &mut Vec<u8>,
    version: Version,
    kind: Kind,
    identifier: u16,
    reason: Reason,
    properties: List<'_>,
) {
    packet(out, kind, |out| {
        two_bytes(out, identifier);
        reasoned(out, version, reason, properties);
    });
}

/// Appends a SUBSCRIBE.
pub fn subscribe(
    out: &mut Vec<u8>,
    version: Version,
    identifier: u16,
    properties: List<'_>,
    filters: &[Wanted<'_>],
) {
    packet(out, Kind::Subscribe, |out| {
        two_bytes(out, identifier);
        list(out, version, properties);
        for wanted in filters {
            text(out, wanted.filter);
            out.push(
                wanted.quality as u8
                    | u8::from(wanted.no_local) << 2
                    | u8::from(wanted.retain_as_published) << 3
                    | wanted.retain_handling << 4,
            );
        }
    });
}

/// Appends an UNSUBSCRIBE.
pub fn unsubscribe(
    out: &mut Vec<u8>,
    version: Version,
    identifier: u16,
    properties: List<'_>,
    filters: &[&str],
) {
    packet(out, Kind::Unsubscribe, |out| {
        two_bytes(out, identifier);
        list(out, version, properties);
        filters.iter().for_each(|filter| text(out, filter));
    });
}

/// Appends a SUBACK or an UNSUBACK; the latter has no codes in 3.1.1.
pub fn granted(
    out: &mut Vec<u8>,
    version: Version,
    kind: Kind,
    identifier: u16,
    properties: List<'_>,
    codes: &[u8],
) {
    packet(out, kind, |out| {
        two_bytes(out, identifier);
        list(out, version, properties);
        if version == Version::V5 || kind == Kind::SubAck {
            out.extend_from_slice(codes);
        }
    });
}

/// Appends a PINGREQ or a PINGRESP.
pub fn ping(out: &mut Vec<u8>, kind: Kind) {
    packet(out, kind, |_| {});
}

/// Appends a DISCONNECT or an AUTH.
pub fn farewell(
    out: &mut Vec<u8>,
    version: Version,
    kind: Kind,
    reason: Reason,
    properties: List<'_>,
) {
    packet(out, kind, |out| reasoned(out, version, reason, properties));
}

/// The properties of a packet that was read, for passing them on; some are for one connection alone.
pub fn passed_on<'a>(properties: &Properties<'a>) -> Vec<(PropertyId, Value<'a>)> {
    properties
        .iter()
        .filter(|(id, _)| !matches!(*id, PropertyId::TOPIC_ALIAS | PropertyId::SUBSCRIPTION))
        .collect()
}

fn reasoned(out: &mut Vec<u8>, version: Version, reason: Reason, properties: List<'_>) {
    if version == Version::V311 || (reason == Reason::SUCCESS && properties.is_empty()) {
        return;
    }
    out.push(reason.0);
    if !properties.is_empty() {
        list(out, version, properties);
    }
}

/// Header and content, whose length is known when it is written: mostly one byte, which is kept free.
fn packet(out: &mut Vec<u8>, kind: Kind, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(&[(kind as u8) << 4 | kind.flags().unwrap_or(0), 0]);
    let begin = out.len();
    content(out);
    let length = out.len() - begin;
    let mut bytes = Vec::with_capacity(4);
    variable(&mut bytes, length);
    out.splice(begin - 1..begin, bytes);
}

fn list(out: &mut Vec<u8>, version: Version, properties: List<'_>) {
    if version == Version::V311 {
        return;
    }
    variable(out, list_length(properties));
    for &(id, value) in properties {
        out.push(id.0);
        match value {
            Value::Text(value) => text(out, value),
            Value::Binary(value) => binary(out, value),
            Value::Pair(name, value) => {
                text(out, name);
                text(out, value);
            }
            Value::Number(number) => match id.number_length() {
                Some(length) => out.extend_from_slice(&number.to_be_bytes()[4 - length..]),
                None => variable(out, number as usize),
            },
        }
    }
}

fn list_length(properties: List<'_>) -> usize {
    let length = |&(id, value): &(PropertyId, Value<'_>)| match value {
        Value::Text(value) => 2 + value.len(),
        Value::Binary(value) => 2 + value.len(),
        Value::Pair(name, value) => 4 + name.len() + value.len(),
        Value::Number(number) => {
            let variable = || variable_length(number as usize);
            id.number_length().unwrap_or_else(variable)
        }
    };
    properties.iter().map(|property| 1 + length(property)).sum()
}

/// A number of one to four bytes.
///
/// # Panics
/// When it needs more: no packet is that long.
#[inline]
fn variable(out: &mut Vec<u8>, mut number: usize) {
    assert!(number < 1 << 28, "a packet holds at most 256 MiB");
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn variable_length(number: usize) -> usize {
    match number {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

fn two_bytes(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_be_bytes());
}

/// A string behind its length.
///
/// # Panics
/// When it has more than 65,535 bytes: strings that were read from a packet have not.
#[inline]
fn text(out: &mut Vec<u8>, text: &str) {
    binary(out, text.as_bytes());
}

#[inline]
fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("a field of a packet has at most 65,535 bytes");
    two_bytes(out, length);
    out.extend_from_slice(bytes);
}
