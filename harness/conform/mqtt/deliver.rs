//! Who gets which message, how often, and with what.

use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::Packet;

use super::peer::{AtLeastOnce, AtMostOnce, ExactlyOnce, Peer, message, unique};
use super::{case, in_each_version};
use crate::case::{Case, Failure, Target, ensure};

pub(super) const CASES: &[Case] = &[
    case(
        "each_quality_is_delivered_with_its_handshake",
        "A message goes at the lower of both qualities (3.1.1: MQTT-3.3.4-1, MQTT-3.8.4-6, MQTT-4.3.1-1, \
         MQTT-4.3.2-1, MQTT-4.3.2-2, MQTT-4.3.3-1, MQTT-4.3.3-2; 5.0: MQTT-3.3.4-1, MQTT-3.8.4-8, \
         MQTT-4.3.1-1, MQTT-4.3.2-2, MQTT-4.3.2-4, MQTT-4.3.3-2, MQTT-4.3.3-4, MQTT-4.3.3-8, \
         MQTT-4.3.3-11).",
        &[],
        each_quality_is_delivered_with_its_handshake,
    ),
    case(
        "order_is_kept",
        "Messages of one topic and quality come in the order in which they were sent (3.1.1: \
         MQTT-4.6.0-6; 5.0: MQTT-4.6.0-5, MQTT-4.6.0-6).",
        &[],
        order_is_kept,
    ),
    case(
        "repeated_message_of_qos_2_is_delivered_once",
        "A PUBLISH that is sent again before its PUBREL is the same message (3.1.1: MQTT-4.3.3-2; 5.0: \
         MQTT-4.3.3-10, MQTT-4.3.3-12).",
        &[],
        repeated_message_of_qos_2_is_delivered_once,
    ),
    case(
        "wildcards_match_levels",
        "`+` is one level, `#` is any number (3.1.1: MQTT-3.3.2-3; 5.0: MQTT-3.3.2-3).",
        &[],
        wildcards_match_levels,
    ),
    case(
        "names_that_begin_with_a_dollar_are_left_alone",
        "Wildcards on the first level do not match `$` (3.1.1: MQTT-4.7.2-1; 5.0: MQTT-4.7.2-1).",
        &[],
        names_that_begin_with_a_dollar_are_left_alone,
    ),
    case(
        "overlapping_subscriptions_give_the_highest_quality",
        "A message that several filters match comes at the highest of their qualities (3.1.1: \
         MQTT-3.3.5-1; 5.0: MQTT-3.3.4-2).",
        &["one_copy"],
        overlapping_subscriptions_give_the_highest_quality,
    ),
    case(
        "unsubscribed_client_gets_no_more",
        "Behind an UNSUBACK nothing of that filter comes (3.1.1: MQTT-3.10.4-2, MQTT-3.10.4-4; 5.0: \
         MQTT-3.10.4-2, MQTT-3.10.4-4, MQTT-3.10.4-5).",
        &[],
        unsubscribed_client_gets_no_more,
    ),
    case(
        "last_retained_message_comes_with_a_subscription",
        "It is sent with the retain flag; an empty one deletes it; others come without the flag (3.1.1: \
         MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8, MQTT-3.3.1-9, MQTT-3.3.1-10, MQTT-3.3.1-11; 5.0: \
         MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-7, MQTT-3.3.1-9, MQTT-3.3.1-12).",
        &[],
        last_retained_message_comes_with_a_subscription,
    ),
    case(
        "large_message_comes_whole",
        "200,000 bytes arrive as they were sent, at each quality (3.1.1: MQTT-7.1.1-1; 5.0: MQTT-4.2-1).",
        &[],
        large_message_comes_whole,
    ),
];

fn each_quality_is_delivered_with_its_handshake(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let mut publisher = Peer::connect(target, version)?;
        for wanted in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let topic = unique("quality");
            let mut subscriber = Peer::connect(target, version)?;
            subscriber.subscribe(&topic, wanted)?;
            for sent in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                publisher.publish(&topic, b"hello", sent)?;
                let came = subscriber.expect(&topic, b"hello", sent.min(wanted))?;
                ensure(!came.retain && !came.duplicate, || {
                    format!("{came:?} has flags")
                })?;
            }
            subscriber.expect_nothing()?;
        }
        Ok(())
    })
}

fn order_is_kept(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        for quality in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            let topic = unique("order");
            let mut subscriber = Peer::connect(target, version)?;
            let mut publisher = Peer::connect(target, version)?;
            subscriber.subscribe(&topic, quality)?;
            for number in 1..=100_u16 {
                publisher.publish(&topic, &number.to_be_bytes(), quality)?;
            }
            for number in 1..=100_u16 {
                let came = subscriber.message()?;
                ensure(came.payload == number.to_be_bytes(), || {
                    format!("expected number {number}; {came:?} came")
                })?;
            }
        }
        Ok(())
    })
}

fn repeated_message_of_qos_2_is_delivered_once(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("once");
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtMostOnce)?;
        let first = message(&topic, b"once", ExactlyOnce);
        let again = encode::Publish {
            duplicate: true,
            ..first
        };
        for publish in [first, again] {
            publisher.send(|out, version| _ = encode::publish(out, version, &publish))?;
            publisher.acknowledged(Kind::PubRec, 5)?;
        }
        publisher.acknowledge(Kind::PubRel, 5)?;
        publisher.acknowledged(Kind::PubComp, 5)?;
        // The number is free again.
        publisher.publish(&topic, b"next", ExactlyOnce)?;
        subscriber.expect(&topic, b"once", AtMostOnce)?;
        subscriber.expect(&topic, b"next", AtMostOnce)?;
        subscriber.expect_nothing()
    })
}

fn wildcards_match_levels(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let root = unique("levels");
        let mut publisher = Peer::connect(target, version)?;
        for (filter, matched, other) in [
            ("+/b", "a/b", "a/b/c"),
            ("#", "", "x"),
            ("a/#", "a/b/c", "b/a"),
            ("a/+/c", "a//c", "a/c"),
            ("/", "/", "a"),
        ] {
            let mut subscriber = Peer::connect(target, version)?;
            let below = |rest: &str| match rest {
                "" => root.clone(),
                rest => format!("{root}/{rest}"),
            };
            subscriber.subscribe(&below(filter), AtMostOnce)?;
            let other = if filter == "#" {
                unique(other)
            } else {
                below(other)
            };
            publisher.publish(&other, b"not", AtLeastOnce)?;
            publisher.publish(&below(matched), b"yes", AtLeastOnce)?;
            subscriber.expect(&below(matched), b"yes", AtMostOnce)?;
            subscriber.expect_nothing()?;
        }
        Ok(())
    })
}

fn names_that_begin_with_a_dollar_are_left_alone(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, level) = (unique("$ringside"), unique("end"));
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&format!("+/{level}"), AtMostOnce)?;
        publisher.publish(&format!("{topic}/{level}"), b"not", AtMostOnce)?;
        publisher.publish(&format!("a/{level}"), b"yes", AtMostOnce)?;
        subscriber.expect(&format!("a/{level}"), b"yes", AtMostOnce)?;
        subscriber.expect_nothing()
    })
}

fn overlapping_subscriptions_give_the_highest_quality(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("overlap");
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&format!("{topic}/#"), AtMostOnce)?;
        subscriber.subscribe(&format!("{topic}/a"), ExactlyOnce)?;
        subscriber.subscribe(&format!("{topic}/+"), AtLeastOnce)?;
        publisher.publish(&format!("{topic}/a"), b"hello", ExactlyOnce)?;
        subscriber.expect(&format!("{topic}/a"), b"hello", ExactlyOnce)?;
        subscriber.expect_nothing()
    })
}

fn unsubscribed_client_gets_no_more(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, other) = (unique("gone"), unique("kept"));
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtMostOnce)?;
        subscriber.subscribe(&other, AtMostOnce)?;
        let filters = [&*topic];
        subscriber.send(|out, version| encode::unsubscribe(out, version, 9, &[], &filters))?;
        subscriber.next("an UNSUBACK of packet 9", |packet| match packet {
            Packet::UnsubAck(answer) if answer.identifier == 9 => Some(()),
            _ => None,
        })?;
        publisher.publish(&topic, b"not", AtMostOnce)?;
        publisher.publish(&other, b"yes", AtMostOnce)?;
        subscriber.expect(&other, b"yes", AtMostOnce)?;
        subscriber.expect_nothing()
    })
}

fn last_retained_message_comes_with_a_subscription(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("last");
        let mut publisher = Peer::connect(target, version)?;
        let retained = |payload| encode::Publish {
            retain: true,
            ..message(&topic, payload, AtLeastOnce)
        };
        let mut early = Peer::connect(target, version)?;
        early.subscribe(&format!("{topic}/+"), AtMostOnce)?;
        early.subscribe(&topic, AtLeastOnce)?;
        for payload in [&b"first"[..], b"last"] {
            publisher.publish_as(&retained(payload))?;
            let live = early.expect(&topic, payload, AtLeastOnce)?;
            ensure(!live.retain, || {
                "a live message has the retain flag".to_owned()
            })?;
        }
        for filter in [topic.clone(), format!("{topic}/#")] {
            let mut late = Peer::connect(target, version)?;
            late.subscribe(&filter, AtMostOnce)?;
            let kept = late.expect(&topic, b"last", AtMostOnce)?;
            ensure(kept.retain, || {
                "a kept message lacks the retain flag".to_owned()
            })?;
            late.expect_nothing()?;
        }
        publisher.publish_as(&retained(b""))?;
        let mut later = Peer::connect(target, version)?;
        later.subscribe(&topic, AtMostOnce)?;
        later.expect_nothing()
    })
}

fn large_message_comes_whole(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("large");
        let payload = crate::client::pattern_bytes(0, 200_000);
        let mut subscriber = Peer::connect(target, version)?;
        let mut publisher = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, ExactlyOnce)?;
        for quality in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
            publisher.publish(&topic, &payload, quality)?;
            let came = subscriber.message()?;
            ensure(came.payload == payload, || {
                "the payload is another".to_owned()
            })?;
        }
        Ok(())
    })
}
