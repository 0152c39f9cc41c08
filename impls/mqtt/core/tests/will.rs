//! The will of a client.

use super::super::*;
use super::hall::*;

/// A CONNECT whose will says "lost" on topic `will`.
fn mortal(version: Version, retain: bool, quality: QualityOfService) -> encode::Connect<'static> {
    encode::Connect {
        will: Some(encode::Will {
            topic: "will",
            payload: b"lost",
            quality,
            retain,
            properties: &[],
        }),
        keep_alive: 10,
        ..hello_in(version, "mortal")
    }
}

/// The same in a session of a minute, with a delay in seconds.
fn delayed(delay: &'static [(PropertyId, Value<'static>)]) -> encode::Connect<'static> {
    encode::Connect {
        clean_start: false,
        will: Some(encode::Will {
            topic: "will",
            payload: b"lost",
            quality: AtMostOnce,
            retain: false,
            properties: delay,
        }),
        ..lasting(V5, "mortal")
    }
}

const TEN_SECONDS: &[(PropertyId, Value<'static>)] = &[(PropertyId::WILL_DELAY, Value::Number(10))];

/// With a client that watches the will.
fn watched(version: Version) -> (Hall, usize) {
    let mut hall = Hall::new();
    let watcher = hall.connect(&hello_in(version, "watcher"));
    hall.subscribe(watcher, "will", ExactlyOnce);
    (hall, watcher)
}

/// 3.1.1: MQTT-3.1.2-8, MQTT-3.1.2-10, MQTT-3.1.2-24. 5.0: MQTT-3.1.2-7, MQTT-3.1.2-8, MQTT-3.1.2-10,
/// MQTT-3.1.2-22.
#[test]
fn a_will_is_published_once_however_the_connection_ends() {
    for version in BOTH {
        for how in ["lost", "silent", "wrong"] {
            let (mut hall, watcher) = watched(version);
            let client = hall.connect(&mortal(version, false, AtLeastOnce));
            assert_eq!(hall.take(watcher), b"", "before");
            match how {
                "silent" => assert!(hall.pass(16_000, client).is_some()),
                "wrong" => assert!(hall.tell(client, b"\x00\x00").ended),
                _ => {}
            }
            hall.lose(client);
            let came = hall.message(watcher);
            assert_eq!((&*came.topic, &*came.payload), ("will", "lost"), "{how}");
            // It is gone: neither time nor another connection brings it back.
            hall.pass(100_000, watcher);
            let client = hall.connect(&hello_in(version, "mortal"));
            hall.lose(client);
            assert_eq!(hall.take(watcher), b"", "{how}");
        }
    }
}

/// 3.1.1: MQTT-3.1.2-8, MQTT-3.1.2-10, MQTT-3.14.4-3. 5.0: MQTT-3.1.2-8, MQTT-3.1.2-10, MQTT-3.14.4-3.
#[test]
fn a_client_that_says_goodbye_leaves_no_will() {
    for version in BOTH {
        let (mut hall, watcher) = watched(version);
        let client = hall.connect(&mortal(version, true, AtLeastOnce));
        hall.leave(client);
        hall.pass(100_000, watcher);
        assert_eq!(hall.take(watcher), b"");
    }
    // In 5.0 it may say goodbye and leave it.
    let (mut hall, watcher) = watched(V5);
    let client = hall.connect(&mortal(V5, false, AtLeastOnce));
    assert!(hall.tell(client, b"\xe0\x01\x04").ended);
    hall.lose(client);
    assert_eq!(hall.payloads(watcher), ["lost"]);
}

/// 3.1.1: MQTT-3.1.2-12.
#[test]
fn a_client_without_a_will_leaves_nothing() {
    for version in BOTH {
        let mut hall = Hall::new();
        let watcher = hall.connect(&hello_in(version, "watcher"));
        hall.subscribe(watcher, "#", ExactlyOnce);
        let client = hall.connect(&hello_in(version, "a"));
        hall.lose(client);
        hall.pass(100_000, watcher);
        assert_eq!(hall.take(watcher), b"");
    }
}

/// 3.1.1: MQTT-3.1.2-14, MQTT-3.1.2-16, MQTT-3.1.2-17. 5.0: MQTT-3.1.2-12, MQTT-3.1.2-14, MQTT-3.1.2-15.
#[test]
fn a_will_has_its_quality_and_is_kept_on_wish_alone() {
    for version in BOTH {
        for (retain, quality) in [
            (false, ExactlyOnce),
            (true, AtLeastOnce),
            (true, AtMostOnce),
        ] {
            let (mut hall, watcher) = watched(version);
            let client = hall.connect(&mortal(version, retain, quality));
            hall.lose(client);
            let came = hall.message(watcher);
            assert_eq!((came.quality, came.retain), (quality, false));
            let late = hall.connect(&hello_in(version, "late"));
            hall.subscribe(late, "will", ExactlyOnce);
            let kept = hall.messages(late);
            assert_eq!(kept.len(), usize::from(retain));
            assert!(
                kept.iter()
                    .all(|kept| kept.retain && kept.quality == quality)
            );
        }
    }
}

/// 5.0: MQTT-3.1.3-10.
#[test]
fn user_properties_of_a_will_keep_their_order() {
    let (mut hall, watcher) = watched(V5);
    let mut connect = mortal(V5, false, AtLeastOnce);
    let properties = [
        (PropertyId::USER, Value::Pair("b", "1")),
        (PropertyId::WILL_DELAY, Value::Number(0)),
        (PropertyId::USER, Value::Pair("a", "2")),
        (PropertyId::USER, Value::Pair("b", "0")),
    ];
    connect.will = connect.will.map(|will| encode::Will {
        properties: &properties,
        ..will
    });
    let client = hall.connect(&connect);
    hall.lose(client);
    let came = hall.message(watcher);
    assert_eq!(came.property(PropertyId::USER), ["b=1", "a=2", "b=0"]);
    assert_eq!(
        came.properties.len(),
        3,
        "the delay is no part of the message"
    );
}

/// 5.0: MQTT-3.1.2-8.
#[test]
fn a_will_waits_no_longer_than_its_session() {
    let (mut hall, watcher) = watched(V5);
    const LONG: &[(PropertyId, Value<'static>)] = &[(PropertyId::WILL_DELAY, Value::Number(600))];
    let client = hall.connect(&delayed(LONG));
    hall.lose(client);
    hall.pass(59_000, watcher);
    assert_eq!(hall.take(watcher), b"");
    hall.pass(2000, watcher);
    assert_eq!(hall.payloads(watcher), ["lost"]);
    // Nor does it wait where a new session takes the place of its own.
    let client = hall.connect(&delayed(LONG));
    let connect = encode::Connect {
        clean_start: true,
        ..delayed(LONG)
    };
    hall.connect(&connect);
    hall.lose(client);
    assert_eq!(hall.payloads(watcher), ["lost"]);
}

/// 5.0: MQTT-3.1.3-9.
#[test]
fn a_will_that_waits_is_dropped_by_a_connection_that_takes_over() {
    let (mut hall, watcher) = watched(V5);
    let client = hall.connect(&delayed(TEN_SECONDS));
    let again = hall.connect(&lasting(V5, "mortal"));
    hall.lose(client);
    hall.pass(20_000, watcher);
    assert_eq!(hall.take(watcher), b"");
    hall.leave(again);
}

/// 5.0: MQTT-3.1.3-9.
#[test]
fn a_will_that_waits_is_dropped_by_a_connection_that_came_and_went() {
    let (mut hall, watcher) = watched(V5);
    let client = hall.connect(&delayed(TEN_SECONDS));
    hall.lose(client);
    hall.pass(5000, watcher);
    let again = hall.connect(&lasting(V5, "mortal"));
    hall.leave(again);
    hall.pass(20_000, watcher);
    assert_eq!(hall.take(watcher), b"");
}

/// 5.0: MQTT-3.1.3-9: it waits for its delay or the end of the session, whichever is first.
#[test]
fn a_will_that_waits_is_published_when_its_session_is_replaced() {
    let (mut hall, watcher) = watched(V5);
    let client = hall.connect(&delayed(TEN_SECONDS));
    hall.lose(client);
    hall.pass(2000, watcher);
    assert_eq!(hall.take(watcher), b"");
    hall.connect(&hello("mortal"));
    hall.pass(1000, watcher);
    assert_eq!(hall.payloads(watcher), ["lost"]);
}
