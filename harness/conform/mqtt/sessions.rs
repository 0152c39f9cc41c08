//! What outlives a connection: sessions, wills, and what was not acknowledged.

use ringside_wire::mqtt::Version;
use ringside_wire::mqtt::encode;
use ringside_wire::mqtt::header::Kind;
use ringside_wire::mqtt::packet::Packet;
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;

use super::peer::{AtLeastOnce, AtMostOnce, ExactlyOnce, Peer, hello, message, unique};
use super::{case, in_each_version};
use crate::case::{Case, Failure, Target, ensure};

pub(super) const CASES: &[Case] = &[
    case(
        "session_waits_for_its_client",
        "Messages of QoS 1 and 2 for a client that is away come when it returns (3.1.1: MQTT-3.1.2-4, \
         MQTT-3.1.2-5, MQTT-3.2.2-2, MQTT-3.2.2-3; 5.0: MQTT-3.1.2-5, MQTT-3.1.2-6, MQTT-3.1.2-23, \
         MQTT-3.2.2-3, MQTT-4.5.0-1).",
        &[],
        session_waits_for_its_client,
    ),
    case(
        "new_session_forgets_the_old_one",
        "Clean Start ends the session that was there (3.1.1: MQTT-3.1.2-6, MQTT-3.2.2-1; 5.0: \
         MQTT-3.1.2-4, MQTT-3.2.2-2).",
        &[],
        new_session_forgets_the_old_one,
    ),
    case(
        "unacknowledged_message_is_sent_again",
        "On a new connection it comes with the duplicate flag and its number; a released one gets its \
         PUBREL (3.1.1: MQTT-3.3.1-1, MQTT-4.4.0-1; 5.0: MQTT-3.3.1-1, MQTT-4.3.3-6, MQTT-4.4.0-1).",
        &[],
        unacknowledged_message_is_sent_again,
    ),
    case(
        "same_client_takes_over",
        "A second connection of a client ends the first (3.1.1: MQTT-3.1.4-2; 5.0: MQTT-3.1.4-3).",
        &[],
        same_client_takes_over,
    ),
    case(
        "will_of_a_lost_client_is_published",
        "Without a DISCONNECT the will is published, with it it is not (3.1.1: MQTT-3.1.2-8, \
         MQTT-3.14.4-3; 5.0: MQTT-3.1.2-8, MQTT-3.14.4-3).",
        &[],
        will_of_a_lost_client_is_published,
    ),
    case(
        "will_of_a_client_that_breaks_the_rules_is_published",
        "A protocol error is no goodbye (3.1.1: MQTT-3.1.2-8; 5.0: MQTT-3.1.2-8).",
        &[],
        will_of_a_client_that_breaks_the_rules_is_published,
    ),
    case(
        "retained_will_stays",
        "Who subscribes later gets it, with the retain flag; no session of anybody holds it (3.1.1: \
         MQTT-3.1.2-7, MQTT-3.1.2-17; 5.0: MQTT-3.1.2-15).",
        &[],
        retained_will_stays,
    ),
    case(
        "message_of_qos_2_goes_on_over_another_connection",
        "A PUBLISH that is sent again there is the same message (3.1.1: MQTT-4.1.0-1, MQTT-4.3.3-2; 5.0: \
         MQTT-4.3.3-10, MQTT-4.3.3-11).",
        &[],
        message_of_qos_2_goes_on_over_another_connection,
    ),
    case(
        "client_that_is_taken_over_is_told",
        "Its last packet is a DISCONNECT that says so (5.0: MQTT-3.1.4-3, MQTT-3.14.4-2).",
        &["mqtt_5", "takeover_reason"],
        client_that_is_taken_over_is_told,
    ),
];

/// A CONNECT of a session that stays.
fn lasting(version: Version, client: &str) -> encode::Connect<'_> {
    encode::Connect {
        clean_start: false,
        properties: &[(PropertyId::SESSION_EXPIRY, Value::Number(600))],
        ..hello(version, client)
    }
}

fn leave(mut peer: Peer) -> Result<(), Failure> {
    peer.send(|out, version| {
        encode::farewell(out, version, Kind::Disconnect, Reason::SUCCESS, &[]);
    })?;
    peer.client.expect_end()
}

fn session_waits_for_its_client(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("wait"), unique("client"));
        let (mut subscriber, present) = Peer::with(target, &lasting(version, &name))?;
        ensure(!present, || "a new client has a session".to_owned())?;
        subscriber.subscribe(&topic, ExactlyOnce)?;
        leave(subscriber)?;
        let mut publisher = Peer::connect(target, version)?;
        publisher.publish(&topic, b"one", AtLeastOnce)?;
        publisher.publish(&topic, b"two", ExactlyOnce)?;
        let (mut subscriber, present) = Peer::with(target, &lasting(version, &name))?;
        ensure(present, || "the session is gone".to_owned())?;
        subscriber.expect(&topic, b"one", AtLeastOnce)?;
        subscriber.expect(&topic, b"two", ExactlyOnce)?;
        publisher.publish(&topic, b"three", AtMostOnce)?;
        subscriber.expect(&topic, b"three", AtMostOnce)?;
        subscriber.expect_nothing()
    })
}

fn new_session_forgets_the_old_one(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("forget"), unique("client"));
        let (mut subscriber, _) = Peer::with(target, &lasting(version, &name))?;
        subscriber.subscribe(&topic, AtLeastOnce)?;
        leave(subscriber)?;
        let (mut subscriber, present) = Peer::with(target, &hello(version, &name))?;
        ensure(!present, || "Clean Start found a session".to_owned())?;
        let mut publisher = Peer::connect(target, version)?;
        publisher.publish(&topic, b"not", AtLeastOnce)?;
        subscriber.expect_nothing()
    })
}

fn unacknowledged_message_is_sent_again(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("again"), unique("client"));
        let (mut subscriber, _) = Peer::with(target, &lasting(version, &name))?;
        subscriber.subscribe(&topic, ExactlyOnce)?;
        let mut publisher = Peer::connect(target, version)?;
        publisher.publish(&topic, b"one", AtLeastOnce)?;
        publisher.publish(&topic, b"two", ExactlyOnce)?;
        let one = subscriber.message()?;
        let two = subscriber.message()?;
        subscriber.acknowledge(Kind::PubRec, two.identifier)?;
        subscriber.acknowledged(Kind::PubRel, two.identifier)?;
        drop(subscriber);
        let (mut subscriber, _) = Peer::with(target, &lasting(version, &name))?;
        let again = subscriber.message()?;
        let same = again.payload == b"one" && again.identifier == one.identifier;
        ensure(same && again.duplicate, || {
            format!("expected {one:?} again with the duplicate flag; {again:?} came")
        })?;
        subscriber.acknowledge(Kind::PubAck, again.identifier)?;
        subscriber.acknowledged(Kind::PubRel, two.identifier)?;
        subscriber.acknowledge(Kind::PubComp, two.identifier)?;
        subscriber.expect_nothing()
    })
}

fn same_client_takes_over(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        for connect in [hello, lasting] {
            let (topic, name) = (unique("take"), unique("client"));
            let (mut first, _) = Peer::with(target, &connect(version, &name))?;
            first.subscribe(&topic, AtMostOnce)?;
            let (mut second, present) = Peer::with(target, &connect(version, &name))?;
            first.expect_refusal()?;
            ensure(present != connect(version, &name).clean_start, || {
                format!("session present is {present}")
            })?;
            second.expect_nothing()?;
        }
        Ok(())
    })
}

/// A client whose will says "lost" on `topic`.
pub(super) fn with_will<'a>(
    version: Version,
    client: &'a str,
    topic: &'a str,
) -> encode::Connect<'a> {
    encode::Connect {
        will: Some(encode::Will {
            topic,
            payload: b"lost",
            quality: AtLeastOnce,
            retain: false,
            properties: &[],
        }),
        ..hello(version, client)
    }
}

fn will_of_a_lost_client_is_published(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let topic = unique("will");
        let mut subscriber = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtLeastOnce)?;
        let name = unique("client");
        let (polite, _) = Peer::with(target, &with_will(version, &name, &topic))?;
        leave(polite)?;
        subscriber.expect_nothing()?;
        let name = unique("client");
        let (lost, _) = Peer::with(target, &with_will(version, &name, &topic))?;
        drop(lost);
        subscriber.expect(&topic, b"lost", AtLeastOnce)?;
        subscriber.expect_nothing()
    })
}

fn will_of_a_client_that_breaks_the_rules_is_published(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("will"), unique("client"));
        let mut subscriber = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtLeastOnce)?;
        let (mut broken, _) = Peer::with(target, &with_will(version, &name, &topic))?;
        broken.client.send_unwanted(b"\x00\x00");
        broken.expect_refusal()?;
        subscriber.expect(&topic, b"lost", AtLeastOnce)?;
        subscriber.expect_nothing()
    })
}

fn retained_will_stays(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("will"), unique("client"));
        let mut early = Peer::connect(target, version)?;
        early.subscribe(&topic, AtLeastOnce)?;
        let connect = with_will(version, &name, &topic);
        let will = connect.will.map(|will| encode::Will {
            retain: true,
            ..will
        });
        let (lost, _) = Peer::with(target, &encode::Connect { will, ..connect })?;
        drop(lost);
        let live = early.expect(&topic, b"lost", AtLeastOnce)?;
        let mut late = Peer::connect(target, version)?;
        late.subscribe(&topic, AtLeastOnce)?;
        let kept = late.expect(&topic, b"lost", AtLeastOnce)?;
        ensure(!live.retain && kept.retain, || {
            "the retain flag is of the wrong one".to_owned()
        })?;
        Peer::connect(target, version)?.publish_as(&encode::Publish {
            retain: true,
            ..message(&topic, b"", AtLeastOnce)
        })
    })
}

fn message_of_qos_2_goes_on_over_another_connection(target: &Target) -> Result<(), Failure> {
    in_each_version(target, |version| {
        let (topic, name) = (unique("once"), unique("client"));
        let mut subscriber = Peer::connect(target, version)?;
        subscriber.subscribe(&topic, AtMostOnce)?;
        let first = message(&topic, b"once", ExactlyOnce);
        let again = encode::Publish {
            duplicate: true,
            ..first
        };
        for publish in [first, again] {
            let (mut publisher, _) = Peer::with(target, &lasting(version, &name))?;
            publisher.send(|out, version| _ = encode::publish(out, version, &publish))?;
            publisher.acknowledged(Kind::PubRec, 5)?;
        }
        let (mut publisher, _) = Peer::with(target, &lasting(version, &name))?;
        publisher.acknowledge(Kind::PubRel, 5)?;
        publisher.acknowledged(Kind::PubComp, 5)?;
        subscriber.expect(&topic, b"once", AtMostOnce)?;
        subscriber.expect_nothing()
    })
}

fn client_that_is_taken_over_is_told(target: &Target) -> Result<(), Failure> {
    let name = unique("client");
    let (mut first, _) = Peer::with(target, &hello(Version::V5, &name))?;
    let (mut second, _) = Peer::with(target, &hello(Version::V5, &name))?;
    let reason = first.next("a DISCONNECT", |packet| match packet {
        Packet::Disconnect(farewell) => Some(farewell.reason),
        _ => None,
    })?;
    ensure(reason == Reason::SESSION_TAKEN_OVER, || {
        format!("it says {}", reason.name())
    })?;
    first.client.expect_end()?;
    second.expect_nothing()
}
