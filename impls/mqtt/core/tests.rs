//! The core with time of its own: what happens after seconds and hours. What the standards state, statement
//! by statement, is in the modules; `harness/conform/mqtt/statements.csv` lists all of it.

mod answers;
mod any_history;
mod connect;
mod hall;
mod hostile;
mod persistence;
mod quality;
mod refusal;
mod retained;
mod session;
mod subscribe;
mod topics;
mod will;

use super::*;
use hall::*;

/// 3.1.1: MQTT-3.1.2-24. 5.0: MQTT-3.1.2-22, MQTT-3.2.2-22.
#[test]
fn a_client_is_lost_after_one_and_a_half_times_its_keep_alive() {
    for version in BOTH {
        let mut hall = Hall::new();
        let client = hall.connect(&encode::Connect {
            keep_alive: 10,
            ..hello_in(version, "a")
        });
        assert_eq!(hall.pass(15_000, client), None);
        // Any packet counts.
        assert_eq!(hall.tell(client, b"\xc0\x00").bytes, b"\xd0\x00");
        assert_eq!(hall.pass(15_000, client), None);
        let told = hall.pass(1, client).unwrap();
        match version {
            V5 => assert_eq!(told, [0xe0, 1, Reason::KEEP_ALIVE_TIMEOUT.0]),
            V311 => assert_eq!(told, b""),
        }
        // 0 is off.
        let patient = hall.connect(&hello_in(version, "b"));
        assert_eq!(hall.pass(100_000_000, patient), None);
    }
}

#[test]
fn a_connection_without_connect_ends() {
    let mut hall = Hall::new();
    let silent = hall.enter();
    assert_eq!(hall.pass(CONNECT_MAX, silent), None);
    assert_eq!(hall.pass(1, silent), Some(Vec::new()));
}

/// 5.0: MQTT-3.1.2-8, MQTT-3.1.3-9.
#[test]
fn a_will_waits_and_is_not_published_when_its_client_returns() {
    for returns in [false, true] {
        let mut hall = Hall::new();
        let watcher = hall.connect(&hello("watcher"));
        hall.subscribe(watcher, "will", AtMostOnce);
        let connect = encode::Connect {
            clean_start: false,
            will: Some(encode::Will {
                topic: "will",
                payload: b"lost",
                quality: AtMostOnce,
                retain: false,
                properties: &[(PropertyId::WILL_DELAY, Value::Number(10))],
            }),
            properties: LASTING,
            ..hello("mortal")
        };
        let mortal = hall.connect(&connect);
        hall.lose(mortal);
        hall.pass(9000, watcher);
        assert_eq!(hall.payloads(watcher), [""; 0]);
        if returns {
            hall.connect(&connect);
        }
        hall.pass(2000, watcher);
        let expected: &[&str] = if returns { &[] } else { &["lost"] };
        assert_eq!(hall.payloads(watcher), expected);
    }
}

/// 5.0: MQTT-3.1.2-23, MQTT-4.1.0-2.
#[test]
fn a_session_ends_when_its_time_is_over() {
    for (seconds, present) in [(59, 1), (61, 0)] {
        let mut hall = Hall::new();
        let other = hall.connect(&hello("other"));
        let connect = encode::Connect {
            clean_start: false,
            properties: LASTING,
            ..hello("away")
        };
        let away = hall.connect(&connect);
        hall.subscribe(away, "news", AtLeastOnce);
        hall.lose(away);
        hall.publish(other, &message("news", "one", AtLeastOnce));
        hall.pass(seconds * 1000, other);
        let back = hall.enter();
        let answer = hall.say(back, |out| encode::connect(out, &connect));
        assert_eq!(answer[2], present, "after {seconds} s");
        assert_eq!(hall.payloads(back).len(), usize::from(present));
    }
}

/// 5.0: MQTT-3.3.2-5, MQTT-3.3.2-6.
#[test]
fn a_message_that_waited_too_long_is_dropped_and_another_says_what_is_left() {
    let mut hall = Hall::new();
    let other = hall.connect(&hello("other"));
    let connect = encode::Connect {
        clean_start: false,
        properties: LASTING,
        ..hello("away")
    };
    let away = hall.connect(&connect);
    hall.subscribe(away, "news", AtLeastOnce);
    hall.lose(away);
    for (payload, seconds) in [("short", 5), ("long", 30)] {
        let publish = encode::Publish {
            properties: &[(PropertyId::MESSAGE_EXPIRY, Value::Number(seconds))],
            ..message("news", payload, AtLeastOnce)
        };
        hall.publish(other, &publish);
    }
    hall.pass(10_000, other);
    let back = hall.connect(&connect);
    let bytes = hall.take(back);
    let header = header::parse(&bytes, PACKET_MAX).unwrap().unwrap();
    assert_eq!(header.packet_length(), bytes.len(), "one message alone");
    let packet = packet::decode(V5, header, &bytes[header.length..]).unwrap();
    let Packet::Publish(publish) = packet else {
        panic!("{packet:?}");
    };
    assert_eq!(publish.payload, b"long");
    assert_eq!(
        publish.properties.number(PropertyId::MESSAGE_EXPIRY),
        Some(20)
    );
}

#[test]
fn a_client_that_takes_nothing_costs_a_bounded_amount_and_others_nothing() {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello("publisher"));
    let stalled = hall.connect(&hello("stalled"));
    let quick = hall.connect(&hello("quick"));
    for client in [stalled, quick] {
        hall.subscribe(client, "news", AtLeastOnce);
    }
    let payload = "x".repeat(10_000);
    for quality in [AtMostOnce, AtLeastOnce] {
        for _ in 0..3000 {
            hall.publish(publisher, &message("news", &payload, quality));
            assert_eq!(hall.payloads(quick).len(), 1);
            let acknowledged = |out: &mut Vec<u8>| {
                for number in 1..=3 {
                    encode::acknowledge(out, V5, Kind::PubAck, number, Reason::SUCCESS, &[]);
                }
            };
            hall.say(quick, acknowledged);
        }
    }
    let session = hall.clients[stalled]
        .as_ref()
        .unwrap()
        .session
        .clone()
        .unwrap();
    let dropped = session.state().dropped();
    // 512 KiB of 6000 messages of 10,000 B are written; 1,000 of QoS 1 are queued.
    assert!((4900..=5000).contains(&dropped), "{dropped}");
    // Nor does one delivery make more of it than was written.
    let mut out = Vec::new();
    let client = hall.clients[stalled].as_mut().unwrap();
    assert_eq!(hall.mqtt.deliver(client, 0, &mut out), Delivery::More);
    assert!(out.len() < 600_000);
}

#[test]
fn a_client_without_a_place_for_answers_is_refused() {
    let mqtt = broker();
    let mut connection = mqtt.open(0);
    let (mut bytes, mut out) = (Vec::new(), Vec::new());
    encode::connect(&mut bytes, &hello("a"));
    let progress = mqtt.receive(&mut connection, &bytes, 0, &mut out);
    assert!(matches!(progress.step, Step::Close));
    assert_eq!(out[3], Reason::SERVER_UNAVAILABLE.0);
}
