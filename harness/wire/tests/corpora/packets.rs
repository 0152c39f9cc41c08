//! What the corpus of MQTT packets holds: every kind in both versions, every property in every place, lengths
//! at the edges of their encoding, and one packet for each way to be broken.

mod broken;

use crate::mqtt_packet::PACKET_MAX;
use ringside_wire::mqtt::QualityOfService::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};
use ringside_wire::mqtt::Version;
use ringside_wire::mqtt::encode::{self, List};
use ringside_wire::mqtt::header::{self, Kind};
use ringside_wire::mqtt::packet::{self, Wanted};
use ringside_wire::mqtt::property::{PropertyId as Id, Value};
use ringside_wire::mqtt::reason::Reason;

/// A file.
pub(crate) struct Sample {
    pub(crate) name: String,
    version: Version,
    packet: Vec<u8>,
    /// Why it is refused.
    pub(crate) broken: Option<&'static str>,
}

impl Sample {
    /// What the fuzzer sees: the version of the connection, and the packet.
    pub(crate) fn input(&self) -> Vec<u8> {
        let mut input = vec![u8::from(self.version == Version::V5)];
        input.extend_from_slice(&self.packet);
        input
    }

    /// What the codec refuses it for, if it does.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        let header = match header::parse(&self.packet, PACKET_MAX) {
            Ok(Some(header)) => header,
            Ok(None) => return Some(broken::INCOMPLETE),
            Err(refusal) => return Some(refusal.because),
        };
        let Some(body) = self.packet.get(header.length..header.packet_length()) else {
            return Some(broken::INCOMPLETE);
        };
        let refused = packet::decode(self.version, header, body).err();
        refused.map(|refusal| refusal.because)
    }
}

/// All files.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for version in [Version::V311, Version::V5] {
        let mut add = |name: &str, write: &dyn Fn(&mut Vec<u8>)| {
            let mut packet = Vec::new();
            write(&mut packet);
            let version_name = if version == Version::V5 { "5" } else { "311" };
            samples.push(Sample {
                name: format!("{name}_{version_name}"),
                version,
                packet,
                broken: None,
            });
        };
        connects(version, &mut add);
        connect_answers(version, &mut add);
        messages(version, &mut add);
        acknowledgements(version, &mut add);
        subscriptions(version, &mut add);
        farewells(version, &mut add);
        lengths(version, &mut add);
    }
    samples.extend(broken::samples());
    samples
}

/// Takes a name and what writes the packet.
type Add<'a> = &'a mut dyn FnMut(&str, &dyn Fn(&mut Vec<u8>));

const USER: (Id, Value<'_>) = (Id::USER, Value::Pair("name", "value"));
const REASONED: List<'_> = &[(Id::REASON_STRING, Value::Text("why")), USER, USER];

fn connects(version: Version, add: Add<'_>) {
    let small = encode::Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client: "",
        will: None,
        user_name: None,
        password: None,
        properties: &[],
    };
    let will = encode::Will {
        topic: "w/\u{e9}",
        payload: b"gone",
        quality: ExactlyOnce,
        retain: true,
        properties: &[
            (Id::WILL_DELAY, Value::Number(u32::MAX)),
            (Id::PAYLOAD_FORMAT, Value::Number(1)),
            (Id::MESSAGE_EXPIRY, Value::Number(0)),
            (Id::CONTENT_TYPE, Value::Text("text/plain")),
            (Id::RESPONSE_TOPIC, Value::Text("r")),
            (Id::CORRELATION_DATA, Value::Binary(b"\0\xff")),
            USER,
        ],
    };
    let full = encode::Connect {
        clean_start: false,
        keep_alive: u16::MAX,
        client: "client",
        will: Some(will),
        user_name: Some("user"),
        password: Some(b"\0pass"),
        properties: &[
            (Id::SESSION_EXPIRY, Value::Number(u32::MAX)),
            (Id::RECEIVE_MAXIMUM, Value::Number(1)),
            (Id::MAXIMUM_PACKET_SIZE, Value::Number(1)),
            (Id::TOPIC_ALIAS_MAXIMUM, Value::Number(u16::MAX as u32)),
            (Id::REQUEST_RESPONSE, Value::Number(1)),
            (Id::REQUEST_PROBLEM, Value::Number(0)),
            (Id::AUTHENTICATION_METHOD, Value::Text("method")),
            (Id::AUTHENTICATION_DATA, Value::Binary(b"")),
            USER,
        ],
        ..small
    };
    add("connect_small", &|out| encode::connect(out, &small));
    add("connect_full", &|out| encode::connect(out, &full));
    let empty_will = encode::Will {
        topic: "w",
        payload: b"",
        quality: AtMostOnce,
        retain: false,
        properties: &[],
    };
    add("connect_will", &|out| {
        let will = Some(empty_will);
        encode::connect(out, &encode::Connect { will, ..small });
    });
}

fn connect_answers(version: Version, add: Add<'_>) {
    let answer: List<'_> = &[
        (Id::SESSION_EXPIRY, Value::Number(1)),
        (Id::RECEIVE_MAXIMUM, Value::Number(65_535)),
        (Id::MAXIMUM_QOS, Value::Number(0)),
        (Id::RETAIN_AVAILABLE, Value::Number(1)),
        (Id::MAXIMUM_PACKET_SIZE, Value::Number(u32::MAX)),
        (Id::ASSIGNED_CLIENT, Value::Text("client")),
        (Id::TOPIC_ALIAS_MAXIMUM, Value::Number(0)),
        (Id::REASON_STRING, Value::Text("")),
        (Id::WILDCARDS_AVAILABLE, Value::Number(1)),
        (Id::SUBSCRIPTIONS_AVAILABLE, Value::Number(0)),
        (Id::SHARED_AVAILABLE, Value::Number(1)),
        (Id::SERVER_KEEP_ALIVE, Value::Number(0)),
        (Id::RESPONSE_INFORMATION, Value::Text("r")),
        (Id::SERVER_REFERENCE, Value::Text("other:1883")),
        (Id::AUTHENTICATION_METHOD, Value::Text("m")),
        (Id::AUTHENTICATION_DATA, Value::Binary(b"d")),
        USER,
    ];
    add("conn_ack_present", &|out| {
        encode::conn_ack(out, version, true, 0, answer);
    });
    let refused = if version == Version::V5 { 0x9f } else { 5 };
    add("conn_ack_refused", &|out| {
        encode::conn_ack(out, version, false, refused, &[]);
    });
}

fn messages(version: Version, add: Add<'_>) {
    let small = encode::Publish {
        duplicate: false,
        quality: AtMostOnce,
        retain: false,
        topic: "a/b",
        identifier: 0,
        properties: &[],
        payload: b"",
    };
    let full = encode::Publish {
        duplicate: true,
        quality: ExactlyOnce,
        retain: true,
        topic: "/\u{1f980}/",
        identifier: u16::MAX,
        properties: &[
            (Id::PAYLOAD_FORMAT, Value::Number(0)),
            (Id::MESSAGE_EXPIRY, Value::Number(u32::MAX)),
            (Id::TOPIC_ALIAS, Value::Number(1)),
            (Id::RESPONSE_TOPIC, Value::Text("r/s")),
            (Id::CORRELATION_DATA, Value::Binary(b"c")),
            (Id::SUBSCRIPTION, Value::Number(1)),
            (Id::SUBSCRIPTION, Value::Number(127)),
            (Id::SUBSCRIPTION, Value::Number(128)),
            (Id::SUBSCRIPTION, Value::Number(16_383)),
            (Id::SUBSCRIPTION, Value::Number(16_384)),
            (Id::SUBSCRIPTION, Value::Number(2_097_151)),
            (Id::SUBSCRIPTION, Value::Number(2_097_152)),
            (Id::SUBSCRIPTION, Value::Number(268_435_455)),
            (Id::CONTENT_TYPE, Value::Text("")),
            USER,
            USER,
        ],
        payload: &[0, 0xff, 0x80],
    };
    let once = encode::Publish {
        quality: AtLeastOnce,
        identifier: 1,
        payload: b"hey",
        ..small
    };
    let mut publish = |name: &str, message: &encode::Publish<'_>| {
        add(name, &|out| _ = encode::publish(out, version, message));
    };
    publish("publish_small", &small);
    publish("publish_once", &once);
    publish("publish_full", &full);
    if version == Version::V5 {
        let alias = encode::Publish {
            topic: "",
            properties: &[(Id::TOPIC_ALIAS, Value::Number(u16::MAX as u32))],
            ..once
        };
        publish("publish_alias", &alias);
    }
}

fn acknowledgements(version: Version, add: Add<'_>) {
    for (name, kind, failure) in [
        ("pub_ack", Kind::PubAck, Reason(0x10)),
        ("pub_rec", Kind::PubRec, Reason::QUOTA_EXCEEDED),
        ("pub_rel", Kind::PubRel, Reason::PACKET_IDENTIFIER_NOT_FOUND),
        (
            "pub_comp",
            Kind::PubComp,
            Reason::PACKET_IDENTIFIER_NOT_FOUND,
        ),
    ] {
        add(name, &|out| {
            encode::acknowledge(out, version, kind, 1, Reason::SUCCESS, &[]);
        });
        if version == Version::V5 {
            add(&format!("{name}_reason"), &|out| {
                encode::acknowledge(out, version, kind, u16::MAX, failure, &[]);
            });
            add(&format!("{name}_full"), &|out| {
                encode::acknowledge(out, version, kind, 2, failure, REASONED);
            });
        }
    }
}

fn wanted(filter: &str, quality: QualityOfService) -> Wanted<'_> {
    Wanted {
        filter,
        quality,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    }
}

fn subscriptions(version: Version, add: Add<'_>) {
    let number = |number| (Id::SUBSCRIPTION, Value::Number(number));
    let several = [
        wanted("+/b/#", AtLeastOnce),
        wanted("#", ExactlyOnce),
        wanted("$share/group/a/+", AtMostOnce),
        wanted("not/#/one", AtMostOnce),
    ];
    let mut subscribe = |name: &str, properties: List<'_>, filters: &[Wanted<'_>]| {
        add(name, &|out| {
            encode::subscribe(out, version, 1, properties, filters);
        });
    };
    subscribe("subscribe_one", &[], &[wanted("a", AtMostOnce)]);
    subscribe("subscribe_several", &[number(268_435_455), USER], &several);
    if version == Version::V5 {
        let options = Wanted {
            no_local: true,
            retain_as_published: true,
            retain_handling: 2,
            ..wanted("a/+", ExactlyOnce)
        };
        subscribe("subscribe_options", &[number(1)], &[options]);
    }
    add("unsubscribe_one", &|out| {
        encode::unsubscribe(out, version, 1, &[], &["a"]);
    });
    add("unsubscribe_several", &|out| {
        encode::unsubscribe(out, version, u16::MAX, &[USER], &["a/+", "", "#"]);
    });
    let (granted, gone): (&[u8], &[u8]) = match version {
        Version::V311 => (&[0, 1, 2, 0x80], &[]),
        Version::V5 => (&[0, 1, 2, 0x80, 0x8f, 0xa2], &[0, 0x11, 0x91]),
    };
    add("sub_ack", &|out| {
        encode::granted(out, version, Kind::SubAck, 1, REASONED, granted);
    });
    add("unsub_ack", &|out| {
        encode::granted(out, version, Kind::UnsubAck, 1, REASONED, gone);
    });
}

fn farewells(version: Version, add: Add<'_>) {
    add("ping_req", &|out| encode::ping(out, Kind::PingReq));
    add("ping_resp", &|out| encode::ping(out, Kind::PingResp));
    let farewell = |kind, reason, properties| {
        move |out: &mut Vec<u8>| encode::farewell(out, version, kind, reason, properties)
    };
    add(
        "disconnect",
        &farewell(Kind::Disconnect, Reason::SUCCESS, &[]),
    );
    if version == Version::V311 {
        return;
    }
    let will = Reason::DISCONNECT_WITH_WILL;
    add("disconnect_reason", &farewell(Kind::Disconnect, will, &[]));
    let properties = &[
        (Id::SESSION_EXPIRY, Value::Number(0)),
        (Id::REASON_STRING, Value::Text("why")),
        (Id::SERVER_REFERENCE, Value::Text("other")),
        USER,
    ];
    let moved = Reason(0x9d);
    add(
        "disconnect_full",
        &farewell(Kind::Disconnect, moved, properties),
    );
    add("auth", &farewell(Kind::Auth, Reason::SUCCESS, &[]));
    let properties = &[
        (Id::AUTHENTICATION_METHOD, Value::Text("method")),
        (Id::AUTHENTICATION_DATA, Value::Binary(b"\0")),
        (Id::REASON_STRING, Value::Text("why")),
        USER,
    ];
    add("auth_full", &farewell(Kind::Auth, Reason(0x18), properties));
}

/// Messages whose length is the last of one byte, the first of two, and the longest that the check takes.
fn lengths(version: Version, add: Add<'_>) {
    // The topic, and in 5.0 the length of no properties.
    let head = if version == Version::V5 { 4 } else { 3 };
    for remaining in [127, 128, PACKET_MAX - 3] {
        let payload = vec![b'x'; remaining - head];
        let message = encode::Publish {
            duplicate: false,
            quality: AtMostOnce,
            retain: false,
            topic: "t",
            identifier: 0,
            properties: &[],
            payload: &payload,
        };
        add(&format!("publish_of_{remaining}"), &|out| {
            encode::publish(out, version, &message);
        });
    }
}
