//! What 5.0 adds.

use std::time::Instant;

use ringside_wire::mqtt::Version;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::Wanted;
use ringside_wire::mqtt::property::{PropertyId, Value};

use super::case;
use super::peer::{AtLeastOnce, AtMostOnce, Peer, hello, message, unique, wish};
use crate::case::{Case, Failure, PATIENCE, Target, ensure};

pub(super) const CASES: &[Case] = &[
    case(
        "properties_of_a_message_are_passed_on",
        "Payload format, content type, response topic, correlation data and user properties arrive \
         unchanged and in order (5.0: MQTT-3.3.2-4, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, \
         MQTT-3.3.2-18, MQTT-3.3.2-20).",
        &["mqtt_5"],
        properties_of_a_message_are_passed_on,
    ),
    case(
        "subscription_identifier_comes_with_a_message",
        "Each matching one does (5.0: MQTT-3.3.4-3).",
        &["mqtt_5"],
        subscription_identifier_comes_with_a_message,
    ),
    case(
        "own_message_is_left_out_on_wish",
        "No Local (5.0: MQTT-3.8.3-3).",
        &["mqtt_5"],
        own_message_is_left_out_on_wish,
    ),
    case(
        "retain_handling_is_followed",
        "Kept messages come always, with a new subscription, or never; the flag stays as published on \
         wish (5.0: MQTT-3.3.1-10, MQTT-3.3.1-11, MQTT-3.3.1-13).",
        &["mqtt_5"],
        retain_handling_is_followed,
    ),
    case(
        "alias_stands_for_its_topic",
        "A topic alias is set once and then used without the topic; number 0 is refused (5.0: \
         MQTT-3.3.2-8, MQTT-3.3.2-12).",
        &["mqtt_5"],
        alias_stands_for_its_topic,
    ),
    case(
        "receive_maximum_is_kept",
        "No more than so many messages wait for their acknowledgement (5.0: MQTT-3.3.4-9, MQTT-4.9.0-2).",
        &["mqtt_5", "receive_maximum"],
        receive_maximum_is_kept,
    ),
    case(
        "full_window_holds_up_nothing_else",
        "While a message is not acknowledged, others at QoS 0 come and every other packet is answered \
         (5.0: MQTT-3.3.4-10, MQTT-4.9.0-3).",
        &["mqtt_5", "receive_maximum"],
        full_window_holds_up_nothing_else,
    ),
    case(
        "maximum_packet_size_is_kept",
        "What is larger is not sent (5.0: MQTT-3.1.2-24, MQTT-3.1.2-25).",
        &["mqtt_5"],
        maximum_packet_size_is_kept,
    ),
    case(
        "shared_subscription_gives_each_message_to_one",
        "Two members of a group get each message once together (5.0: MQTT-4.8.2-1).",
        &["mqtt_5"],
        shared_subscription_gives_each_message_to_one,
    ),
    case(
        "filter_that_is_none_is_refused_alone",
        "Its code in the SUBACK is a failure, or the connection ends (5.0: MQTT-3.9.3-2, MQTT-4.7.1-1, \
         MQTT-4.7.1-2).",
        &["mqtt_5"],
        filter_that_is_none_is_refused_alone,
    ),
];

fn properties_of_a_message_are_passed_on(target: &Target) -> Result<(), Failure> {
    let topic = unique("properties");
    let mut subscriber = Peer::connect(target, Version::V5)?;
    let mut publisher = Peer::connect(target, Version::V5)?;
    subscriber.subscribe(&topic, AtMostOnce)?;
    let publish = encode::Publish {
        properties: &[
            (PropertyId::PAYLOAD_FORMAT, Value::Number(1)),
            (PropertyId::CONTENT_TYPE, Value::Text("text/plain")),
            (PropertyId::RESPONSE_TOPIC, Value::Text("answer/here")),
            (PropertyId::CORRELATION_DATA, Value::Binary(b"number 7")),
            (PropertyId::USER, Value::Pair("b", "2")),
            (PropertyId::USER, Value::Pair("a", "1")),
        ],
        ..message(&topic, b"hello", AtMostOnce)
    };
    publisher.publish_as(&publish)?;
    let came = subscriber.expect(&topic, b"hello", AtMostOnce)?;
    let text = |wanted| {
        let found = came.texts.iter().filter(|(id, _)| *id == wanted);
        found.map(|(_, text)| &**text).collect::<Vec<_>>()
    };
    let right = came.numbers.contains(&(PropertyId::PAYLOAD_FORMAT, 1))
        && text(PropertyId::CONTENT_TYPE) == ["text/plain"]
        && text(PropertyId::RESPONSE_TOPIC) == ["answer/here"]
        && text(PropertyId::CORRELATION_DATA) == ["number 7"]
        && text(PropertyId::USER) == ["b=2", "a=1"];
    ensure(right, || format!("{came:?} came"))
}

fn subscription_identifier_comes_with_a_message(target: &Target) -> Result<(), Failure> {
    let topic = unique("identifier");
    let mut subscriber = Peer::connect(target, Version::V5)?;
    let mut publisher = Peer::connect(target, Version::V5)?;
    let identifier = |number| [(PropertyId::SUBSCRIPTION, Value::Number(number))];
    subscriber.subscribe_as(&wish(&topic, AtMostOnce), &identifier(300))?;
    publisher.publish(&topic, b"hello", AtMostOnce)?;
    let came = subscriber.expect(&topic, b"hello", AtMostOnce)?;
    ensure(
        came.numbers.contains(&(PropertyId::SUBSCRIPTION, 300)),
        || format!("{came:?} came"),
    )
}

fn own_message_is_left_out_on_wish(target: &Target) -> Result<(), Failure> {
    let topic = unique("own");
    let mut peer = Peer::connect(target, Version::V5)?;
    let mut other = Peer::connect(target, Version::V5)?;
    let wanted = Wanted {
        no_local: true,
        ..wish(&topic, AtMostOnce)
    };
    peer.subscribe_as(&wanted, &[])?;
    peer.publish(&topic, b"mine", AtLeastOnce)?;
    other.publish(&topic, b"other", AtLeastOnce)?;
    peer.expect(&topic, b"other", AtMostOnce)?;
    peer.expect_nothing()
}

fn retain_handling_is_followed(target: &Target) -> Result<(), Failure> {
    let topic = unique("handling");
    let mut publisher = Peer::connect(target, Version::V5)?;
    let kept = encode::Publish {
        retain: true,
        ..message(&topic, b"kept", AtLeastOnce)
    };
    publisher.publish_as(&kept)?;
    let wanted = |retain_handling| Wanted {
        retain_handling,
        retain_as_published: true,
        ..wish(&topic, AtMostOnce)
    };
    let mut never = Peer::connect(target, Version::V5)?;
    never.subscribe_as(&wanted(2), &[])?;
    never.expect_nothing()?;
    let mut once = Peer::connect(target, Version::V5)?;
    once.subscribe_as(&wanted(1), &[])?;
    once.expect(&topic, b"kept", AtMostOnce)?;
    once.subscribe_as(&wanted(1), &[])?;
    once.expect_nothing()?;
    publisher.publish_as(&kept)?;
    let live = once.expect(&topic, b"kept", AtMostOnce)?;
    ensure(live.retain, || {
        "the retain flag is not as published".to_owned()
    })?;
    publisher.publish_as(&encode::Publish {
        payload: b"",
        ..kept
    })
}

fn alias_stands_for_its_topic(target: &Target) -> Result<(), Failure> {
    let topic = unique("alias");
    let mut subscriber = Peer::connect(target, Version::V5)?;
    let mut publisher = Peer::connect(target, Version::V5)?;
    subscriber.subscribe(&topic, AtMostOnce)?;
    let alias = &[(PropertyId::TOPIC_ALIAS, Value::Number(1))];
    for name in [&*topic, "", ""] {
        let publish = encode::Publish {
            properties: alias,
            ..message(name, b"hello", AtMostOnce)
        };
        publisher.publish_as(&publish)?;
        subscriber.expect(&topic, b"hello", AtMostOnce)?;
    }
    let wrong = encode::Publish {
        properties: &[(PropertyId::TOPIC_ALIAS, Value::Number(0))],
        ..message(&topic, b"hello", AtMostOnce)
    };
    publisher.publish_as(&wrong)?;
    publisher.expect_refusal()?;
    subscriber.expect_nothing()
}

fn receive_maximum_is_kept(target: &Target) -> Result<(), Failure> {
    let (topic, name) = (unique("maximum"), unique("client"));
    let connect = encode::Connect {
        properties: &[(PropertyId::RECEIVE_MAXIMUM, Value::Number(2))],
        ..hello(Version::V5, &name)
    };
    let (mut subscriber, _) = Peer::with(target, &connect)?;
    let mut publisher = Peer::connect(target, Version::V5)?;
    subscriber.subscribe(&topic, AtLeastOnce)?;
    for payload in [b"1", b"2", b"3", b"4"] {
        publisher.publish(&topic, payload, AtLeastOnce)?;
    }
    let first = subscriber.message()?;
    let second = subscriber.message()?;
    subscriber.expect_nothing()?;
    subscriber.acknowledge(Kind::PubAck, first.identifier)?;
    let third = subscriber.message()?;
    subscriber.expect_nothing()?;
    subscriber.acknowledge(Kind::PubAck, second.identifier)?;
    subscriber.acknowledge(Kind::PubAck, third.identifier)?;
    subscriber.expect(&topic, b"4", AtLeastOnce)?;
    subscriber.expect_nothing()
}

fn full_window_holds_up_nothing_else(target: &Target) -> Result<(), Failure> {
    let (topic, name) = (unique("window"), unique("client"));
    let connect = encode::Connect {
        properties: &[(PropertyId::RECEIVE_MAXIMUM, Value::Number(1))],
        ..hello(Version::V5, &name)
    };
    let (mut subscriber, _) = Peer::with(target, &connect)?;
    let mut publisher = Peer::connect(target, Version::V5)?;
    subscriber.subscribe(&topic, AtLeastOnce)?;
    publisher.publish(&topic, b"1", AtLeastOnce)?;
    publisher.publish(&topic, b"2", AtLeastOnce)?;
    let first = subscriber.message()?;
    publisher.publish(&topic, b"at once", AtMostOnce)?;
    subscriber.expect(&topic, b"at once", AtMostOnce)?;
    subscriber.expect_nothing()?;
    subscriber.subscribe(&unique("other"), AtLeastOnce)?;
    subscriber.publish(&unique("nobody"), b"x", AtLeastOnce)?;
    subscriber.acknowledge(Kind::PubAck, first.identifier)?;
    subscriber.expect(&topic, b"2", AtLeastOnce)?;
    subscriber.expect_nothing()
}

fn maximum_packet_size_is_kept(target: &Target) -> Result<(), Failure> {
    let (topic, name) = (unique("size"), unique("client"));
    let connect = encode::Connect {
        properties: &[(PropertyId::MAXIMUM_PACKET_SIZE, Value::Number(200))],
        ..hello(Version::V5, &name)
    };
    let (mut subscriber, _) = Peer::with(target, &connect)?;
    let mut publisher = Peer::connect(target, Version::V5)?;
    subscriber.subscribe(&topic, AtLeastOnce)?;
    publisher.publish(&topic, &[b'x'; 300], AtLeastOnce)?;
    publisher.publish(&topic, b"small", AtLeastOnce)?;
    subscriber.expect(&topic, b"small", AtLeastOnce)?;
    subscriber.expect_nothing()
}

fn shared_subscription_gives_each_message_to_one(target: &Target) -> Result<(), Failure> {
    let (topic, group) = (unique("shared"), unique("group"));
    let filter = format!("$share/{group}/{topic}");
    let mut members = [
        Peer::connect(target, Version::V5)?,
        Peer::connect(target, Version::V5)?,
    ];
    for member in &mut members {
        member.subscribe(&filter, AtMostOnce)?;
    }
    let mut publisher = Peer::connect(target, Version::V5)?;
    for number in 0..10_u8 {
        publisher.publish(&topic, &[number], AtLeastOnce)?;
    }
    let mut came = Vec::new();
    let until = Instant::now() + PATIENCE;
    // Another thread of the broker may answer a ping before a message from elsewhere has reached it.
    while came.len() < 10 && Instant::now() < until {
        for (index, member) in members.iter_mut().enumerate() {
            let payloads = member.payloads()?.into_iter();
            came.extend(payloads.map(|payload| (payload, index)));
        }
    }
    came.sort();
    let numbers: Vec<_> = came.iter().map(|(payload, _)| payload[0]).collect();
    ensure(numbers == (0..10).collect::<Vec<_>>(), || {
        format!("{came:?} came")
    })
}

fn filter_that_is_none_is_refused_alone(target: &Target) -> Result<(), Failure> {
    for filter in ["a/#/b", "a+", "#/a"] {
        let mut peer = Peer::connect(target, Version::V5)?;
        match peer.subscribe_code(&wish(filter, AtMostOnce), &[]) {
            Ok(code) => {
                ensure(code >= 0x80, || format!("`{filter}` was granted"))?;
                peer.expect_nothing()?;
            }
            Err(_) => peer.client.expect_end()?,
        }
    }
    Ok(())
}
