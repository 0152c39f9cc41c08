//! What outlives a connection.

use super::super::*;
use super::hall::*;

/// 3.1.1: MQTT-3.1.2-4, MQTT-3.1.2-5, MQTT-4.1.0-1, MQTT-4.5.0-1. 5.0: MQTT-3.1.2-5, MQTT-3.1.2-23, MQTT-4.5.0-1.
#[test]
fn messages_wait_for_a_client_that_is_away() {
    for version in BOTH {
        let mut hall = Hall::new();
        let publisher = hall.connect(&hello_in(version, "publisher"));
        let away = hall.connect(&lasting(version, "away"));
        hall.subscribe(away, "a/#", ExactlyOnce);
        hall.subscribe(away, "b", ExactlyOnce);
        hall.leave(away);
        for (topic, quality) in [("a/1", AtLeastOnce), ("b", ExactlyOnce), ("c", AtLeastOnce)] {
            hall.publish(publisher, &message(topic, topic, quality));
        }
        hall.pass(50_000, publisher);
        let (back, present) = hall.connect_present(&lasting(version, "away"));
        assert!(present);
        let came = hall.messages(back);
        let seen: Vec<_> = came.iter().map(|one| (&*one.topic, one.quality)).collect();
        assert_eq!(seen, [("a/1", AtLeastOnce), ("b", ExactlyOnce)]);
        // Its subscriptions are there as well.
        hall.publish(publisher, &message("a", "live", AtMostOnce));
        assert_eq!(hall.payloads(back), ["live"]);
    }
}

/// 3.1.1: MQTT-3.1.2-6. 5.0: MQTT-3.1.2-4.
#[test]
fn clean_start_forgets_everything_of_the_session_before() {
    for version in BOTH {
        let mut hall = Hall::new();
        let publisher = hall.connect(&hello_in(version, "publisher"));
        let old = hall.connect(&lasting(version, "a"));
        hall.subscribe(old, "a", ExactlyOnce);
        hall.publish(old, &message("b", "x", ExactlyOnce));
        hall.publish(publisher, &message("a", "sent", ExactlyOnce));
        hall.take(old);
        hall.lose(old);
        hall.publish(
            publisher,
            &encode::Publish {
                identifier: 6,
                ..message("a", "waits", AtLeastOnce)
            },
        );
        let new = hall.connect(&hello_in(version, "a"));
        hall.publish(publisher, &message("a", "live", AtMostOnce));
        assert_eq!(hall.take(new), b"");
        // Packet 5, which was not released, is a new message.
        hall.subscribe(new, "b", AtMostOnce);
        hall.publish(new, &message("b", "new", ExactlyOnce));
        assert_eq!(hall.payloads(new), ["new"]);
        // And the clean session is used by nobody: in 5.0 its expiry of 0 says so.
        hall.lose(new);
        let (last, present) = hall.connect_present(&lasting(version, "a"));
        assert!(!present);
        hall.publish(publisher, &message("b", "live", AtMostOnce));
        assert_eq!(hall.take(last), b"");
    }
}

/// 3.1.1: MQTT-4.1.0-1, MQTT-4.1.0-2. 5.0: MQTT-4.1.0-1.
#[test]
fn a_session_lasts_as_long_as_its_connection() {
    for version in BOTH {
        for connect in [hello_in(version, "a"), lasting(version, "a")] {
            let mut hall = Hall::new();
            let client = hall.connect(&connect);
            hall.subscribe(client, "a", AtLeastOnce);
            assert_eq!(hall.pass(10_000_000, client), None);
            hall.publish(client, &message("a", "x", AtLeastOnce));
            assert_eq!(hall.payloads(client), ["x"]);
        }
        // One of 3.1.1 that stays does so for ever.
        let mut hall = Hall::new();
        let other = hall.connect(&hello_in(version, "other"));
        let client = hall.connect(&lasting(version, "a"));
        hall.lose(client);
        hall.pass(100_000_000, other);
        assert_eq!(
            hall.connect_present(&lasting(version, "a")).1,
            version == V311
        );
    }
}

/// 5.0: MQTT-3.1.2-23, MQTT-4.1.0-2.
#[test]
fn the_time_of_a_session_counts_from_its_last_connection() {
    let mut hall = Hall::new();
    let other = hall.connect(&hello("other"));
    let client = hall.connect(&lasting(V5, "a"));
    hall.lose(client);
    hall.pass(30_000, other);
    let client = hall.connect(&lasting(V5, "a"));
    hall.pass(20_000, other);
    hall.lose(client);
    hall.pass(59_000, other);
    let (client, present) = hall.connect_present(&lasting(V5, "a"));
    assert!(present, "59 s after it was lost");
    hall.lose(client);
    hall.pass(61_000, other);
    assert!(!hall.connect_present(&lasting(V5, "a")).1);
}

/// 5.0: MQTT-3.1.2-23, MQTT-4.1.0-2, MQTT-4.13.1-1.
#[test]
fn a_disconnect_may_change_the_time_of_a_session_that_has_one() {
    let leave = |hall: &mut Hall, client, seconds| {
        let expiry = [(PropertyId::SESSION_EXPIRY, Value::Number(seconds))];
        let bytes = written(|out| {
            encode::farewell(out, V5, Kind::Disconnect, Reason::SUCCESS, &expiry);
        });
        let said = hall.tell(client, &bytes);
        hall.lose(client);
        said.bytes
    };
    for (seconds, passes, present) in [(0, 0, false), (10, 9000, true), (600, 500_000, true)] {
        let mut hall = Hall::new();
        let other = hall.connect(&hello("other"));
        let client = hall.connect(&lasting(V5, "a"));
        assert_eq!(leave(&mut hall, client, seconds), b"");
        hall.pass(passes, other);
        assert_eq!(hall.connect_present(&lasting(V5, "a")).1, present);
    }
    let mut hall = Hall::new();
    let client = hall.connect(&hello("a"));
    let told = leave(&mut hall, client, 10);
    assert_eq!(told, [0xe0, 1, Reason::PROTOCOL_ERROR.0]);
}

/// 3.1.1: MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT-4.6.0-1. 5.0: MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT-4.6.0-1.
#[test]
fn what_is_unacknowledged_is_sent_again_in_order_on_a_new_connection_and_only_there() {
    for version in BOTH {
        let mut hall = Hall::new();
        let publisher = hall.connect(&hello_in(version, "publisher"));
        let client = hall.connect(&lasting(version, "a"));
        hall.subscribe(client, "a", ExactlyOnce);
        for quality in [AtLeastOnce, ExactlyOnce, AtLeastOnce, ExactlyOnce] {
            hall.publish(publisher, &message("a", "x", quality));
            hall.acknowledge(publisher, Kind::PubRel, 5);
        }
        let first = hall.messages(client);
        assert!(first.iter().all(|message| !message.duplicate));
        // Time alone repeats nothing.
        assert_eq!(hall.pass(1_000_000, client), None);
        assert_eq!(hall.take(client), b"");
        hall.lose(client);
        let client = hall.connect(&lasting(version, "a"));
        let again = hall.messages(client);
        let expected: Vec<_> = first
            .into_iter()
            .map(|message| Came {
                duplicate: true,
                ..message
            })
            .collect();
        assert_eq!(again, expected);
        assert_eq!(hall.take(client), b"");
    }
}

/// 5.0: MQTT-4.8.2-4, MQTT-4.8.2-5.
#[test]
fn a_shared_message_that_was_begun_stays_with_its_member() {
    for ends in [false, true] {
        let mut hall = Hall::new();
        let publisher = hall.connect(&hello("publisher"));
        let members = ["one", "two"].map(|name| hall.connect(&lasting(V5, name)));
        for member in members {
            hall.subscribe(member, "$share/group/a", ExactlyOnce);
        }
        hall.publish(publisher, &message("a", "x", ExactlyOnce));
        let came = members.map(|member| hall.messages(member));
        let (chosen, other) = if came[0].is_empty() { (1, 0) } else { (0, 1) };
        hall.lose(members[chosen]);
        if ends {
            hall.pass(61_000, publisher);
        }
        assert_eq!(hall.take(members[other]), b"");
        let back = hall.connect(&lasting(V5, ["one", "two"][chosen]));
        assert_eq!(hall.messages(back).len(), usize::from(!ends));
        assert_eq!(hall.take(members[other]), b"");
    }
}

/// 5.0: MQTT-3.3.2-7.
#[test]
fn aliases_end_with_their_connection() {
    let mut hall = Hall::new();
    let alias = &[(PropertyId::TOPIC_ALIAS, Value::Number(1))];
    let client = hall.connect(&lasting(V5, "a"));
    hall.publish(
        client,
        &encode::Publish {
            properties: alias,
            ..message("a", "x", AtMostOnce)
        },
    );
    hall.lose(client);
    let client = hall.connect(&lasting(V5, "a"));
    let unset = encode::Publish {
        properties: alias,
        ..message("", "x", AtMostOnce)
    };
    let told = hall.publish(client, &unset);
    assert_eq!(told, [0xe0, 1, Reason::TOPIC_ALIAS_INVALID.0]);
}

/// A session with three messages of 100 bytes under way, and its client away; gives the publisher.
fn three_under_way(hall: &mut Hall) -> usize {
    let publisher = hall.connect(&hello("publisher"));
    let client = hall.connect(&lasting(V5, "a"));
    hall.subscribe(client, "a", AtLeastOnce);
    for _ in 0..3 {
        hall.publish(publisher, &message("a", &"x".repeat(100), AtLeastOnce));
    }
    assert_eq!(hall.messages(client).len(), 3);
    hall.lose(client);
    publisher
}

/// 5.0: MQTT-3.1.2-25.
#[test]
fn a_message_under_way_that_is_too_long_now_counts_as_sent() {
    let mut hall = Hall::new();
    let publisher = three_under_way(&mut hall);
    let client = hall.connect(&encode::Connect {
        properties: &[
            (PropertyId::MAXIMUM_PACKET_SIZE, Value::Number(50)),
            (PropertyId::RECEIVE_MAXIMUM, Value::Number(1)),
        ],
        ..lasting(V5, "a")
    });
    hall.publish(publisher, &message("a", "short", AtLeastOnce));
    assert_eq!(hall.payloads(client), ["short"]);
}

/// 5.0: MQTT-3.3.4-9, MQTT-4.9.0-2.
#[test]
fn a_smaller_window_holds_for_what_is_under_way_already() {
    let mut hall = Hall::new();
    three_under_way(&mut hall);
    let client = hall.connect(&encode::Connect {
        properties: &[(PropertyId::RECEIVE_MAXIMUM, Value::Number(1))],
        ..lasting(V5, "a")
    });
    for _ in 0..3 {
        let came = hall.message(client);
        hall.acknowledge(client, Kind::PubAck, came.identifier);
    }
}

/// Who lost its session and does not know it yet changes nothing of what comes behind: 5.0, MQTT-3.1.4-3.
#[test]
fn a_connection_that_lost_its_session_neither_subscribes_nor_ends_it() {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello("publisher"));
    let old = hall.connect(&lasting(V5, "a"));
    let new = hall.connect(&lasting(V5, "a"));
    let refused = Reason::UNSPECIFIED_ERROR.0;
    let answer = hall.subscribe_as(old, &[wish("news", AtLeastOnce)], &[]);
    assert_eq!(answer.last(), Some(&refused));
    hall.say(old, |out| {
        let ends = &[(PropertyId::SESSION_EXPIRY, Value::Number(0))];
        encode::farewell(out, V5, Kind::Disconnect, Reason::SUCCESS, ends);
    });
    hall.lose(old);
    hall.lose(new);
    let (back, present) = hall.connect_present(&lasting(V5, "a"));
    assert!(present);
    // One that ended has no subscription that nobody takes away.
    hall.connect(&hello("a"));
    let answer = hall.subscribe_as(back, &[wish("news", AtLeastOnce)], &[]);
    assert_eq!(answer.last(), Some(&refused));
    hall.lose(back);
    let answer = hall.publish(publisher, &message("news", "x", AtLeastOnce));
    assert_eq!(answer[4], Reason::NO_MATCHING_SUBSCRIBERS.0);
}

#[test]
fn a_client_that_comes_and_goes_leaves_nothing_that_waits() {
    let mut hall = Hall::new();
    for version in [hello("a"), lasting(V5, "a")] {
        for _ in 0..1000 {
            let client = hall.connect(&encode::Connect {
                properties: LASTING,
                ..version
            });
            hall.lose(client);
        }
        assert!(hall.mqtt.broker.count_due() < 20);
    }
    let (_, present) = hall.connect_present(&lasting(V5, "a"));
    assert!(present);
}
