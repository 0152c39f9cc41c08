//! SUBSCRIBE and UNSUBSCRIBE, their answers and what follows from them.

use ringside_wire::mqtt::packet::Wanted;

use super::hall::*;

/// 3.1.1: MQTT-2.3.1-7, MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-4, MQTT-3.8.4-5, MQTT-3.9.3-1, MQTT-3.9.3-2.
/// 5.0: MQTT-2.2.1-6, MQTT-2.2.2-1, MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT-3.8.4-5, MQTT-3.8.4-6, MQTT-3.8.4-7,
/// MQTT-3.9.3-1, MQTT-3.9.3-2.
#[test]
fn a_suback_has_a_code_for_each_filter_in_their_order() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        let wanted = [
            wish("two", ExactlyOnce),
            wish("a/#/b", ExactlyOnce),
            wish("zero", AtMostOnce),
            wish("one", AtLeastOnce),
        ];
        let answer = hall.say(client, |out| {
            encode::subscribe(out, version, 0x0102, &[], &wanted);
        });
        match version {
            V311 => assert_eq!(answer, [0x90, 6, 1, 2, 2, 0x80, 0, 1]),
            V5 => assert_eq!(answer, [0x90, 7, 1, 2, 0, 2, 0x8f, 0, 1]),
        }
        // All of them count but the wrong one.
        for topic in ["two", "a/b", "zero", "one"] {
            hall.publish(client, &message(topic, topic, AtMostOnce));
        }
        assert_eq!(hall.payloads(client), ["two", "zero", "one"]);
    }
}

/// 3.1.1: MQTT-3.8.4-6, MQTT-3.3.2-3. 5.0: MQTT-3.8.4-8, MQTT-3.3.2-3.
#[test]
fn a_message_comes_at_the_lower_quality() {
    for version in BOTH {
        for granted in QUALITIES {
            let mut hall = Hall::new();
            let client = hall.connect(&hello_in(version, "a"));
            hall.subscribe(client, "a/+", granted);
            for published in QUALITIES {
                hall.publish(client, &message("a/b", "x", published));
                hall.acknowledge(client, Kind::PubRel, 5);
                let came = hall.message(client);
                assert_eq!(
                    (&*came.topic, came.quality),
                    ("a/b", granted.min(published))
                );
            }
        }
    }
}

/// 3.1.1: MQTT-3.8.4-3. 5.0: MQTT-3.8.4-3, MQTT-3.8.4-4.
#[test]
fn the_same_filter_replaces_its_subscription_and_loses_nothing() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        hall.publish(client, &kept("a", "kept", AtMostOnce));
        hall.subscribe(client, "a", AtMostOnce);
        assert_eq!(hall.payloads(client), ["kept"]);
        hall.publish(client, &message("a", "before", ExactlyOnce));
        hall.subscribe(client, "a", AtLeastOnce);
        hall.acknowledge(client, Kind::PubRel, 5);
        hall.publish(client, &message("a", "behind", ExactlyOnce));
        let came = hall.messages(client);
        let seen: Vec<_> = came
            .iter()
            .map(|one| (&*one.payload, one.quality))
            .collect();
        let expected = [
            ("before", AtMostOnce),
            ("kept", AtMostOnce),
            ("behind", AtLeastOnce),
        ];
        assert_eq!(seen, expected, "one copy of each");
    }
}

/// 5.0: MQTT-3.8.3-3.
#[test]
fn no_local_leaves_out_what_the_client_published() {
    let mut hall = Hall::new();
    let (client, other) = (hall.connect(&hello("a")), hall.connect(&hello("b")));
    let wanted = Wanted {
        no_local: true,
        ..wish("a", AtMostOnce)
    };
    hall.subscribe_as(client, &[wanted], &[]);
    hall.publish(client, &message("a", "own", AtMostOnce));
    hall.publish(other, &message("a", "other", AtMostOnce));
    assert_eq!(hall.payloads(client), ["other"]);
}

/// 3.1.1: MQTT-3.3.5-1. 5.0: MQTT-3.3.4-2, MQTT-3.3.4-3, MQTT-3.3.4-4.
#[test]
fn overlapping_subscriptions_give_one_copy_at_the_highest_quality() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        for (filter, quality, number) in [
            ("a/#", AtMostOnce, 7),
            ("a/+", ExactlyOnce, 300),
            ("+/b", AtLeastOnce, 0),
        ] {
            let number = [(PropertyId::SUBSCRIPTION, Value::Number(number))];
            let number = if number[0].1 == Value::Number(0) {
                &[][..]
            } else {
                &number
            };
            hall.subscribe_as(client, &[wish(filter, quality)], number);
        }
        hall.publish(client, &message("a/b", "x", ExactlyOnce));
        let came = hall.message(client);
        assert_eq!(came.quality, ExactlyOnce);
        let mut numbers = came.property(PropertyId::SUBSCRIPTION);
        numbers.sort_unstable();
        let expected: &[&str] = if version == V5 { &["300", "7"] } else { &[] };
        assert_eq!(numbers, expected);
    }
}

/// 3.1.1: MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-3.10.4-6.
/// 5.0: MQTT-3.10.4-1, MQTT-3.10.4-2, MQTT-3.10.4-4, MQTT-3.10.4-5, MQTT-3.10.4-6, MQTT-3.11.3-1, MQTT-3.11.3-2.
#[test]
fn an_unsubscribe_deletes_equal_filters_and_is_always_answered() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&hello_in(version, "a"));
        for filter in ["a/+", "b", "c"] {
            hall.subscribe(client, filter, AtMostOnce);
        }
        let unsubscribe = |hall: &mut Hall, filters: &[&str]| {
            let bytes = written(|out| encode::unsubscribe(out, version, 0x0102, &[], filters));
            hall.tell(client, &bytes).bytes
        };
        let answer = unsubscribe(&mut hall, &["b", "a/b", "B", "c", "a/#"]);
        match version {
            V311 => assert_eq!(answer, [0xb0, 2, 1, 2]),
            V5 => assert_eq!(answer, [0xb0, 8, 1, 2, 0, 0, 0x11, 0x11, 0, 0x11]),
        }
        for topic in ["a/b", "b", "c"] {
            hall.publish(client, &message(topic, topic, AtMostOnce));
        }
        assert_eq!(hall.payloads(client), ["a/b"]);
        let answer = unsubscribe(&mut hall, &["nothing"]);
        match version {
            V311 => assert_eq!(answer, [0xb0, 2, 1, 2]),
            V5 => assert_eq!(answer, [0xb0, 4, 1, 2, 0, 0x11]),
        }
    }
}

/// 3.1.1: MQTT-3.10.4-3. 5.0: MQTT-3.10.4-3.
#[test]
fn what_was_begun_before_an_unsubscribe_is_completed() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&lasting(version, "a"));
        let publisher = hall.connect(&hello_in(version, "publisher"));
        hall.subscribe(client, "a", ExactlyOnce);
        hall.publish(publisher, &message("a", "x", ExactlyOnce));
        let number = hall.message(client).identifier;
        hall.say(client, |out| {
            encode::unsubscribe(out, version, 1, &[], &["a"]);
        });
        hall.lose(client);
        let client = hall.connect(&lasting(version, "a"));
        let again = hall.message(client);
        assert_eq!((again.identifier, again.duplicate), (number, true));
        let released = hall.acknowledge(client, Kind::PubRec, number);
        assert_eq!(released, short(Kind::PubRel, number));
        hall.acknowledge(client, Kind::PubComp, number);
        assert_eq!(hall.take(client), b"");
    }
}

/// 5.0: MQTT-3.3.2-4, MQTT-3.3.2-15, MQTT-3.3.2-16, MQTT-3.3.2-17, MQTT-3.3.2-18, MQTT-3.3.2-20.
#[test]
fn properties_of_a_message_are_passed_on_at_once_and_later() {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello("publisher"));
    let connect = lasting(V5, "a");
    let client = hall.connect(&connect);
    hall.subscribe(client, "a", AtLeastOnce);
    let publish = encode::Publish {
        properties: &[
            (PropertyId::USER, Value::Pair("b", "2")),
            (PropertyId::PAYLOAD_FORMAT, Value::Number(1)),
            (PropertyId::CONTENT_TYPE, Value::Text("text/plain")),
            (PropertyId::USER, Value::Pair("a", "1")),
            (PropertyId::RESPONSE_TOPIC, Value::Text("answer/here")),
            (PropertyId::CORRELATION_DATA, Value::Binary(b"number 7")),
            (PropertyId::USER, Value::Pair("b", "2")),
        ],
        ..kept("a", "x", AtLeastOnce)
    };
    let expected = [
        (PropertyId::USER, &["b=2", "a=1", "b=2"][..]),
        (PropertyId::PAYLOAD_FORMAT, &["1"]),
        (PropertyId::CONTENT_TYPE, &["text/plain"]),
        (PropertyId::RESPONSE_TOPIC, &["answer/here"]),
        (PropertyId::CORRELATION_DATA, &["number 7"]),
    ];
    hall.publish(publisher, &publish);
    let mut came = vec![hall.message(client)];
    // From a queue, and as the topic's last.
    hall.acknowledge(client, Kind::PubAck, came[0].identifier);
    hall.lose(client);
    hall.publish(publisher, &publish);
    let client = hall.connect(&connect);
    came.push(hall.message(client));
    let late = hall.connect(&hello("late"));
    hall.subscribe(late, "#", AtMostOnce);
    came.push(hall.message(late));
    for message in came {
        for (id, values) in expected {
            assert_eq!(message.property(id), values, "{message:?}");
        }
        assert_eq!(message.properties.len(), 7);
    }
}

/// 5.0: MQTT-3.1.2-27, MQTT-3.3.2-12.
#[test]
fn every_alias_up_to_the_maximum_is_taken_and_a_client_without_one_gets_none() {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello("publisher"));
    let client = hall.connect(&hello("a"));
    hall.subscribe(client, "#", AtMostOnce);
    for alias in 1..=ALIASES_MAX as u32 {
        let alias = [(PropertyId::TOPIC_ALIAS, Value::Number(alias))];
        for topic in ["a", ""] {
            let publish = encode::Publish {
                properties: &alias,
                ..message(topic, "x", AtMostOnce)
            };
            assert_eq!(hall.publish(publisher, &publish), b"");
            let came = hall.message(client);
            assert_eq!((&*came.topic, came.properties.len()), ("a", 0));
        }
    }
}

/// 5.0: MQTT-3.1.2-26, MQTT-3.3.2-8, MQTT-3.3.2-11.
#[test]
fn a_client_gets_aliases_up_to_its_maximum_each_with_its_topic_first() {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello("publisher"));
    let with_aliases = |hall: &mut Hall, max| {
        hall.connect(&encode::Connect {
            properties: &[
                LASTING[0],
                (PropertyId::TOPIC_ALIAS_MAXIMUM, Value::Number(max)),
            ],
            ..lasting(V5, "a")
        })
    };
    let client = with_aliases(&mut hall, 2);
    hall.subscribe(client, "#", AtLeastOnce);
    let came = |hall: &mut Hall, client, topic, quality| {
        hall.publish(publisher, &message(topic, "x", quality));
        let came = hall.message(client);
        let alias = came.property(PropertyId::TOPIC_ALIAS).join(" ");
        (came.topic, alias)
    };
    for (topic, told, alias) in [
        ("a", "a", "1"),
        ("a", "", "1"),
        ("b", "b", "2"),
        ("c", "c", ""),
        ("b", "", "2"),
        ("c", "c", ""),
    ] {
        for quality in [AtMostOnce, AtLeastOnce] {
            // Told with the first of the two.
            let told = if quality == AtLeastOnce && !alias.is_empty() {
                ""
            } else {
                told
            };
            let expected = (told.to_owned(), alias.to_owned());
            assert_eq!(came(&mut hall, client, topic, quality), expected);
        }
    }
    // On another connection none is known, and what was under way is sent again so.
    hall.lose(client);
    let client = with_aliases(&mut hall, 1);
    let again = hall.messages(client);
    let told: Vec<_> = again
        .iter()
        .map(|came| {
            (
                &*came.topic,
                came.property(PropertyId::TOPIC_ALIAS).join(" "),
            )
        })
        .collect();
    let expected = ["a 1", " 1", "b ", "c ", "b ", "c "].map(|line| {
        let (topic, alias) = line.split_once(' ').unwrap();
        (topic, alias.to_owned())
    });
    assert_eq!(told, expected);
}
