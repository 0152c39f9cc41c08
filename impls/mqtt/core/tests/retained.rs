//! A topic's last message.

use ringside_wire::mqtt::packet::Wanted;

use super::hall::*;

/// 3.1.1: MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-8. 5.0: MQTT-3.3.1-5, MQTT-3.3.1-9.
#[test]
fn the_last_retained_message_of_each_topic_comes_with_a_new_subscription() {
    for version in BOTH {
        let mut hall = Hall::new();
        let publisher = hall.connect(&hello_in(version, "publisher"));
        for (topic, payload, quality) in [
            ("a/b", "first", AtMostOnce),
            ("a/b", "last", AtLeastOnce),
            ("a/c", "other", ExactlyOnce),
            ("b", "not", AtLeastOnce),
        ] {
            hall.publish(publisher, &kept(topic, payload, quality));
        }
        let late = hall.connect(&hello_in(version, "late"));
        hall.subscribe(late, "a/+", ExactlyOnce);
        let mut came = hall.messages(late);
        came.sort_by(|a, b| a.topic.cmp(&b.topic));
        let seen: Vec<_> = came
            .iter()
            .map(|message| (&*message.payload, message.quality, message.retain))
            .collect();
        assert_eq!(
            seen,
            [("last", AtLeastOnce, true), ("other", ExactlyOnce, true)]
        );
    }
}

/// 3.1.1: MQTT-3.3.1-7.
#[test]
fn a_retained_message_of_qos_0_replaces_one_of_qos_2() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        hall.publish(client, &kept("a", "old", ExactlyOnce));
        hall.publish(client, &kept("a", "new", AtMostOnce));
        hall.subscribe(client, "a", ExactlyOnce);
        let came = hall.message(client);
        assert_eq!((&*came.payload, came.quality), ("new", AtMostOnce));
    }
}

/// 3.1.1: MQTT-3.3.1-9. 5.0: MQTT-3.3.1-12, MQTT-3.3.1-13.
#[test]
fn the_retain_flag_stays_with_a_standing_subscription_on_wish_alone() {
    for version in BOTH {
        for wishes in [false, true] {
            if wishes && version == V311 {
                continue;
            }
            let mut hall = Hall::new();
            let client = hall.connect(&hello_in(version, "a"));
            let wanted = Wanted {
                retain_as_published: wishes,
                ..wish("a", AtLeastOnce)
            };
            hall.subscribe_as(client, &[wanted], &[]);
            hall.publish(client, &kept("a", "x", AtLeastOnce));
            assert_eq!(hall.message(client).retain, wishes);
            hall.publish(client, &message("a", "x", AtLeastOnce));
            assert!(!hall.message(client).retain);
        }
    }
}

/// 3.1.1: MQTT-3.3.1-10, MQTT-3.3.1-11. 5.0: MQTT-3.3.1-6, MQTT-3.3.1-7.
#[test]
fn an_empty_retained_message_goes_to_subscribers_and_removes_the_kept_one() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        hall.publish(client, &kept("a", "x", AtLeastOnce));
        hall.subscribe(client, "a", AtMostOnce);
        assert_eq!(hall.payloads(client), ["x"]);
        hall.publish(client, &kept("a", "", AtLeastOnce));
        assert_eq!(hall.payloads(client), [""]);
        let late = hall.connect(&hello_in(version, "late"));
        hall.subscribe(late, "a", AtMostOnce);
        assert_eq!(hall.take(late), b"");
        assert_eq!(hall.mqtt.broker().counters()["retained"], 0);
    }
}

/// 3.1.1: MQTT-3.3.1-12. 5.0: MQTT-3.3.1-8.
#[test]
fn a_message_without_the_flag_leaves_the_kept_one_alone() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        hall.publish(client, &kept("a", "kept", AtLeastOnce));
        for payload in ["live", ""] {
            hall.publish(client, &message("a", payload, AtLeastOnce));
            hall.publish(client, &message("b", payload, AtLeastOnce));
        }
        hall.subscribe(client, "#", AtMostOnce);
        assert_eq!(hall.payloads(client), ["kept"]);
    }
}

/// 5.0: MQTT-3.3.1-9, MQTT-3.3.1-10, MQTT-3.3.1-11.
#[test]
fn retain_handling_says_when_kept_messages_come() {
    for (retain_handling, first, again) in [(0, 1, 1), (1, 1, 0), (2, 0, 0)] {
        let mut hall = Hall::new();
        let client = hall.connect(&hello("a"));
        hall.publish(client, &kept("a", "x", AtLeastOnce));
        let wanted = Wanted {
            retain_handling,
            ..wish("a", AtMostOnce)
        };
        for expected in [first, again] {
            hall.subscribe_as(client, &[wanted], &[]);
            assert_eq!(hall.payloads(client).len(), expected, "{retain_handling}");
        }
        // Behind an UNSUBSCRIBE it is new again.
        hall.say(client, |out| encode::unsubscribe(out, V5, 1, &[], &["a"]));
        hall.subscribe_as(client, &[wanted], &[]);
        assert_eq!(hall.payloads(client).len(), first, "{retain_handling}");
    }
}

/// 3.1.1: MQTT-3.1.2-7.
#[test]
fn a_retained_message_outlives_the_session_of_its_publisher() {
    for version in BOTH {
        let mut hall = Hall::new();
        let publisher = hall.connect(&hello_in(version, "publisher"));
        hall.publish(publisher, &kept("a", "x", AtLeastOnce));
        hall.leave(publisher);
        assert_eq!(hall.mqtt.broker().counters()["sessions"], 0);
        let late = hall.connect(&hello_in(version, "publisher"));
        hall.subscribe(late, "a", AtMostOnce);
        assert_eq!(hall.payloads(late), ["x"]);
    }
}

/// 5.0: MQTT-3.3.2-5, MQTT-3.3.2-6.
#[test]
fn a_kept_message_expires_and_says_what_is_left() {
    let mut hall = Hall::new();
    let client = hall.connect(&hello("a"));
    let publish = encode::Publish {
        properties: &[(PropertyId::MESSAGE_EXPIRY, Value::Number(30))],
        ..kept("a", "x", AtLeastOnce)
    };
    hall.publish(client, &publish);
    hall.pass(20_000, client);
    hall.subscribe(client, "a", AtMostOnce);
    let came = hall.message(client);
    assert_eq!(came.property(PropertyId::MESSAGE_EXPIRY), ["10"]);
    hall.pass(10_000, client);
    hall.subscribe(client, "a", AtMostOnce);
    assert_eq!(hall.take(client), b"");
}
