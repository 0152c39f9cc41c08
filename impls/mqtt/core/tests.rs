//! The core with time of its own: what happens after seconds and hours.

mod any_history;
mod persistence;

use ringside_contract::Settings;
use ringside_engine::Inbox;
use ringside_wire::mqtt::packet::Wanted;

use super::*;

/// A broker with every axis at its default.
fn broker() -> Mqtt {
    Mqtt::open(&BrokerSettings::new(&Settings::default()).unwrap(), None).unwrap()
}

/// Clients of one broker.
struct Hall {
    mqtt: Mqtt,
    inbox: Arc<Inbox>,
    clients: Vec<Option<Connection>>,
    now: Millis,
}

impl Hall {
    fn new() -> Self {
        Self::of(broker())
    }

    fn of(mqtt: Mqtt) -> Self {
        Self {
            mqtt,
            inbox: Inbox::new().unwrap(),
            clients: Vec::new(),
            now: 0,
        }
    }

    /// A connection on which nothing was said; gives its number.
    fn enter(&mut self) -> usize {
        let number = self.clients.len();
        let mut connection = self.mqtt.open(self.now);
        self.mqtt
            .introduce(&mut connection, self.inbox.caller(number as u64));
        self.clients.push(Some(connection));
        number
    }

    fn connect(&mut self, connect: &encode::Connect<'_>) -> usize {
        let number = self.enter();
        let answer = self.say(number, |out| encode::connect(out, connect));
        assert_eq!(&answer[..1], b"\x20", "{answer:02x?}");
        assert_eq!(answer[3], 0, "refused: {answer:02x?}");
        number
    }

    /// What a client is answered at once.
    fn say(&mut self, number: usize, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        write(&mut bytes);
        let client = self.clients[number].as_mut().unwrap();
        self.mqtt.receive(client, &bytes, self.now, &mut out);
        out
    }

    /// What waits for a client.
    fn take(&mut self, number: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let client = self.clients[number].as_mut().unwrap();
        while self.mqtt.deliver(client, self.now, &mut out) == Delivery::More {}
        out
    }

    /// The payloads of the messages that wait for a client.
    fn payloads(&mut self, number: usize) -> Vec<String> {
        let bytes = self.take(number);
        let version = self.clients[number].as_ref().unwrap().version;
        let mut rest = &bytes[..];
        let mut payloads = Vec::new();
        while let Some(header) = header::parse(rest, PACKET_MAX).unwrap() {
            let (packet, behind) = rest.split_at(header.packet_length());
            let packet = packet::decode(version, header, &packet[header.length..]).unwrap();
            if let Packet::Publish(publish) = packet {
                payloads.push(String::from_utf8_lossy(publish.payload).into_owned());
            }
            rest = behind;
        }
        payloads
    }

    /// The client's session belongs to another connection: it is told, and its own ends.
    fn take_end(&mut self, number: usize) {
        let client = self.clients[number].as_mut().unwrap();
        assert_eq!(
            self.mqtt.deliver(client, self.now, &mut Vec::new()),
            Delivery::Close
        );
        self.lose(number);
    }

    fn lose(&mut self, number: usize) {
        self.clients[number] = None;
    }

    /// Lets time pass, with a look at deadlines each second. What `number` is told at the end, if it was.
    fn pass(&mut self, milliseconds: Millis, number: usize) -> Option<Vec<u8>> {
        let until = self.now + milliseconds;
        while self.now < until {
            self.now = until.min(self.now + 1000);
            let mut out = Vec::new();
            let client = self.clients[number].as_mut().unwrap();
            if self.mqtt.tick(client, self.now, &mut out) == Tick::Close {
                return Some(out);
            }
        }
        None
    }

    fn subscribe(&mut self, number: usize, filter: &str, quality: QualityOfService) {
        let wanted = Wanted {
            filter,
            quality,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        };
        self.say(number, |out| {
            encode::subscribe(out, Version::V5, 1, &[], &[wanted]);
        });
    }

    fn publish(&mut self, number: usize, publish: &encode::Publish<'_>) -> Vec<u8> {
        self.say(number, |out| _ = encode::publish(out, Version::V5, publish))
    }
}

fn hello(client: &str) -> encode::Connect<'_> {
    encode::Connect {
        version: Version::V5,
        clean_start: true,
        keep_alive: 0,
        client,
        will: None,
        user_name: None,
        password: None,
        properties: &[],
    }
}

fn message<'a>(topic: &'a str, payload: &'a str, quality: QualityOfService) -> encode::Publish<'a> {
    encode::Publish {
        duplicate: false,
        quality,
        retain: false,
        topic,
        identifier: 5,
        properties: &[],
        payload: payload.as_bytes(),
    }
}

const LASTING: List<'static> = &[(PropertyId::SESSION_EXPIRY, Value::Number(60))];

/// MQTT 5.0, 3.1.2.10.
#[test]
fn a_client_is_lost_after_one_and_a_half_times_its_keep_alive() {
    let mut hall = Hall::new();
    let client = hall.connect(&encode::Connect {
        keep_alive: 10,
        ..hello("a")
    });
    assert_eq!(hall.pass(15_000, client), None);
    let told = hall.pass(1, client).unwrap();
    assert_eq!(told, [0xe0, 1, Reason::KEEP_ALIVE_TIMEOUT.0]);
    // 0 is off.
    let patient = hall.connect(&hello("b"));
    assert_eq!(hall.pass(100_000_000, patient), None);
}

#[test]
fn a_connection_without_connect_ends() {
    let mut hall = Hall::new();
    let silent = hall.enter();
    assert_eq!(hall.pass(CONNECT_MAX, silent), None);
    assert_eq!(hall.pass(1, silent), Some(Vec::new()));
}

/// MQTT 5.0, 3.1.3.2.2.
#[test]
fn a_will_waits_and_is_not_published_when_its_client_returns() {
    for returns in [false, true] {
        let mut hall = Hall::new();
        let watcher = hall.connect(&hello("watcher"));
        hall.subscribe(watcher, "will", QualityOfService::AtMostOnce);
        let connect = encode::Connect {
            clean_start: false,
            will: Some(encode::Will {
                topic: "will",
                payload: b"lost",
                quality: QualityOfService::AtMostOnce,
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

/// MQTT 5.0, 3.1.2.11.2.
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
        hall.subscribe(away, "news", QualityOfService::AtLeastOnce);
        hall.lose(away);
        hall.publish(
            other,
            &message("news", "one", QualityOfService::AtLeastOnce),
        );
        hall.pass(seconds * 1000, other);
        let back = hall.enter();
        let answer = hall.say(back, |out| encode::connect(out, &connect));
        assert_eq!(answer[2], present, "after {seconds} s");
        assert_eq!(hall.payloads(back).len(), usize::from(present));
    }
}

/// MQTT 5.0, 3.1.2.11.2 and 3.1.3.2.2: time counts from the last connection's end.
#[test]
fn what_was_due_in_an_earlier_absence_is_not_due_in_a_later_one() {
    let mut hall = Hall::new();
    let watcher = hall.connect(&hello("watcher"));
    hall.subscribe(watcher, "will", QualityOfService::AtMostOnce);
    let connect = encode::Connect {
        clean_start: false,
        will: Some(encode::Will {
            topic: "will",
            payload: b"lost",
            quality: QualityOfService::AtMostOnce,
            retain: false,
            properties: &[(PropertyId::WILL_DELAY, Value::Number(40))],
        }),
        properties: LASTING,
        ..hello("mortal")
    };
    let first = hall.connect(&connect);
    hall.lose(first);
    hall.pass(30_000, watcher);
    let second = hall.connect(&connect);
    // It says goodbye, so that its will is void.
    hall.say(second, |out| {
        encode::farewell(out, Version::V5, Kind::Disconnect, Reason::SUCCESS, &[]);
    });
    hall.lose(second);
    hall.pass(50_000, watcher);
    assert_eq!(hall.payloads(watcher), [""; 0]);
    let third = hall.enter();
    let answer = hall.say(third, |out| encode::connect(out, &connect));
    assert_eq!(
        answer[2], 1,
        "the session is there after 80 s of which 50 count"
    );
}

/// MQTT 5.0, 3.1.3.2.2: it waits for its delay or the end of the session, whichever is first.
#[test]
fn a_will_that_waits_is_published_when_its_session_is_replaced() {
    let mut hall = Hall::new();
    let watcher = hall.connect(&hello("watcher"));
    hall.subscribe(watcher, "will", QualityOfService::AtMostOnce);
    let mortal = hall.connect(&encode::Connect {
        will: Some(encode::Will {
            topic: "will",
            payload: b"lost",
            quality: QualityOfService::AtMostOnce,
            retain: false,
            properties: &[(PropertyId::WILL_DELAY, Value::Number(40))],
        }),
        properties: LASTING,
        ..hello("mortal")
    });
    hall.lose(mortal);
    hall.pass(2000, watcher);
    assert_eq!(hall.payloads(watcher), [""; 0]);
    hall.connect(&hello("mortal"));
    hall.pass(1000, watcher);
    assert_eq!(hall.payloads(watcher), ["lost"]);
}

/// MQTT 5.0, 3.3.2.3.3.
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
    hall.subscribe(away, "news", QualityOfService::AtLeastOnce);
    hall.lose(away);
    for (payload, seconds) in [("short", 5), ("long", 30)] {
        let publish = encode::Publish {
            properties: &[(PropertyId::MESSAGE_EXPIRY, Value::Number(seconds))],
            ..message("news", payload, QualityOfService::AtLeastOnce)
        };
        hall.publish(other, &publish);
    }
    hall.pass(10_000, other);
    let back = hall.connect(&connect);
    let bytes = hall.take(back);
    let header = header::parse(&bytes, PACKET_MAX).unwrap().unwrap();
    assert_eq!(header.packet_length(), bytes.len(), "one message alone");
    let packet = packet::decode(Version::V5, header, &bytes[header.length..]).unwrap();
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
        hall.subscribe(client, "news", QualityOfService::AtLeastOnce);
    }
    let payload = "x".repeat(10_000);
    for quality in [QualityOfService::AtMostOnce, QualityOfService::AtLeastOnce] {
        for _ in 0..3000 {
            hall.publish(publisher, &message("news", &payload, quality));
            assert_eq!(hall.payloads(quick).len(), 1);
            let acknowledged = |out: &mut Vec<u8>| {
                for number in 1..=3 {
                    encode::acknowledge(
                        out,
                        Version::V5,
                        Kind::PubAck,
                        number,
                        Reason::SUCCESS,
                        &[],
                    );
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
