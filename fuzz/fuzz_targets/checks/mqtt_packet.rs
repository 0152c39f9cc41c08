//! Whatever bytes come, reading an MQTT packet neither panics nor depends on where they were cut; what it
//! accepts can be read to its end, and is read again from what is written of it.

use ringside_wire::mqtt::encode::{self, List};
use ringside_wire::mqtt::header::{self, Header, Kind};
use ringside_wire::mqtt::packet::{Connect, Packet, decode};
use ringside_wire::mqtt::property::{Properties, PropertyId, Value};
use ringside_wire::mqtt::{Version, topic};

/// Small, so that the fuzzer reaches it.
pub(crate) const PACKET_MAX: usize = 4096;

/// Panics where it does not hold.
pub(crate) fn check(input: &[u8]) {
    let Some((version, input)) = version(input) else {
        return;
    };
    let whole = header::parse(input, PACKET_MAX);
    for cut in 0..input.len().min(6) {
        match header::parse(&input[..cut], PACKET_MAX) {
            Ok(None) => {}
            decided => assert_eq!(decided, whole, "cut at {cut}"),
        }
    }
    let Some(packet) = read(version, input) else {
        return;
    };
    read_to_its_end(&packet);
    let written = write(version, &packet);
    assert_eq!(read(version, &written), Some(packet), "{written:x?}");
}

/// The packet that begins here, if one does.
fn read(version: Version, input: &[u8]) -> Option<Packet<'_>> {
    let header: Header = header::parse(input, PACKET_MAX).ok()??;
    let body = input.get(header.length..header.packet_length())?;
    decode(version, header, body).ok()
}

/// The first byte chooses the version of the connection.
fn version(input: &[u8]) -> Option<(Version, &[u8])> {
    let (&first, rest) = input.split_first()?;
    let version = if first & 1 == 0 {
        Version::V311
    } else {
        Version::V5
    };
    Some((version, rest))
}

fn read_to_its_end(packet: &Packet<'_>) {
    match packet {
        Packet::Subscribe(subscribe) => {
            assert!(subscribe.filters().count() > 0);
            for wanted in subscribe.filters() {
                let _ = (
                    topic::is_filter(wanted.filter),
                    topic::shared(wanted.filter),
                );
            }
        }
        Packet::Unsubscribe(unsubscribe) => assert!(unsubscribe.filters().count() > 0),
        Packet::Publish(publish) => {
            let _ = topic::matches("+/#", publish.topic);
        }
        _ => {}
    }
}

fn write(version: Version, packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let out = &mut bytes;
    match *packet {
        Packet::Connect(connect) => write_connect(out, &connect),
        Packet::ConnAck(ack) => {
            let properties = all(&ack.properties);
            encode::conn_ack(out, version, ack.session_present, ack.code, &properties);
        }
        Packet::Publish(publish) => {
            let publish = encode::Publish {
                duplicate: publish.duplicate,
                quality: publish.quality,
                retain: publish.retain,
                topic: publish.topic,
                identifier: publish.identifier,
                properties: &all(&publish.properties),
                payload: publish.payload,
            };
            encode::publish(out, version, &publish);
        }
        Packet::Acknowledge(ack) => {
            let (number, properties) = (ack.identifier, all(&ack.properties));
            encode::acknowledge(out, version, ack.kind, number, ack.reason, &properties);
        }
        Packet::Subscribe(subscribe) => {
            let filters: Vec<_> = subscribe.filters().collect();
            let properties = all(&subscribe.properties);
            encode::subscribe(out, version, subscribe.identifier, &properties, &filters);
        }
        Packet::Unsubscribe(unsubscribe) => {
            let filters: Vec<_> = unsubscribe.filters().collect();
            let properties = all(&unsubscribe.properties);
            encode::unsubscribe(out, version, unsubscribe.identifier, &properties, &filters);
        }
        Packet::SubAck(granted) | Packet::UnsubAck(granted) => {
            let kind = match packet {
                Packet::SubAck(_) => Kind::SubAck,
                _ => Kind::UnsubAck,
            };
            let (number, properties) = (granted.identifier, all(&granted.properties));
            encode::granted(out, version, kind, number, &properties, granted.codes);
        }
        Packet::PingReq => encode::ping(out, Kind::PingReq),
        Packet::PingResp => encode::ping(out, Kind::PingResp),
        Packet::Disconnect(farewell) | Packet::Auth(farewell) => {
            let kind = match packet {
                Packet::Disconnect(_) => Kind::Disconnect,
                _ => Kind::Auth,
            };
            let properties = all(&farewell.properties);
            encode::farewell(out, version, kind, farewell.reason, &properties);
        }
    }
    bytes
}

fn write_connect(out: &mut Vec<u8>, connect: &Connect<'_>) {
    let of_will = connect.will.map(|will| all(&will.properties));
    let properties: List<'_> = of_will.as_deref().unwrap_or_default();
    let will = connect.will.map(|will| encode::Will {
        topic: will.topic,
        payload: will.payload,
        quality: will.quality,
        retain: will.retain,
        properties,
    });
    let connect = encode::Connect {
        version: connect.version,
        clean_start: connect.clean_start,
        keep_alive: connect.keep_alive,
        client: connect.client,
        will,
        user_name: connect.user_name,
        password: connect.password,
        properties: &all(&connect.properties),
    };
    encode::connect(out, &connect);
}

fn all<'a>(properties: &Properties<'a>) -> Vec<(PropertyId, Value<'a>)> {
    properties.iter().collect()
}
