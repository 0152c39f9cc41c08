//! Bytes pass unread, in both directions of a pair.

use ringside_engine::Inbox;
use ringside_wire::mqtt::QualityOfService;
use ringside_wire::mqtt::packet::Wanted;
use ringside_wire::mqtt::reason::Reason;

use super::*;

struct Hall {
    relay: Relay,
    inbox: Arc<Inbox>,
    ends: Vec<Connection>,
}

impl Hall {
    /// So many connections that said hello.
    fn of(count: usize) -> Self {
        let mut hall = Self {
            relay: Relay::default(),
            inbox: Inbox::new().unwrap(),
            ends: Vec::new(),
        };
        for number in 0..count {
            let mut end = hall.relay.open(0);
            hall.relay
                .introduce(&mut end, hall.inbox.caller(number as u64));
            hall.ends.push(end);
            let mut hello = Vec::new();
            let connect = encode::Connect {
                version: Version::V311,
                clean_start: true,
                keep_alive: 0,
                client: "c",
                will: None,
                user_name: None,
                password: None,
                properties: &[],
            };
            encode::connect(&mut hello, &connect);
            assert_eq!(hall.say(number, &hello), b"\x20\x02\0\0");
        }
        hall
    }

    fn say(&mut self, number: usize, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        self.relay
            .receive(&mut self.ends[number], bytes, 0, &mut out);
        out
    }

    fn take(&mut self, number: usize) -> Vec<u8> {
        let mut out = Vec::new();
        self.relay.deliver(&mut self.ends[number], 0, &mut out);
        out
    }

    fn subscribe(&mut self, number: usize, filter: &str) {
        let mut bytes = Vec::new();
        let wanted = Wanted {
            filter,
            quality: QualityOfService::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        };
        encode::subscribe(&mut bytes, Version::V311, 1, &[], &[wanted]);
        assert_eq!(self.say(number, &bytes), b"\x90\x03\0\x01\x01");
    }
}

fn message(topic: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let publish = encode::Publish {
        duplicate: false,
        quality: QualityOfService::AtLeastOnce,
        retain: false,
        topic,
        identifier: 7,
        properties: &[],
        payload: b"hello",
    };
    encode::publish(&mut bytes, Version::V311, &publish);
    bytes
}

#[test]
fn a_pair_passes_bytes_both_ways() {
    let mut hall = Hall::of(2);
    hall.subscribe(1, "a");
    let one = message("a");
    // The first message comes in two parts, with the start of the next behind it.
    assert_eq!(hall.say(0, &one[..4]), b"");
    let mut rest = one.clone();
    rest.extend_from_slice(&one[..3]);
    assert_eq!(hall.say(0, &rest), b"");
    assert_eq!(hall.take(1), rest);
    assert_eq!(hall.say(0, &one[3..]), b"");
    assert_eq!(hall.take(1), &one[3..]);
    let mut puback = Vec::new();
    encode::acknowledge(
        &mut puback,
        Version::V311,
        Kind::PubAck,
        7,
        Reason::SUCCESS,
        &[],
    );
    assert_eq!(hall.say(1, &puback), b"");
    assert_eq!(hall.take(0), puback);
}

#[test]
fn each_subscriber_of_a_topic_gets_the_bytes_and_who_left_is_forgotten() {
    let mut hall = Hall::of(3);
    hall.subscribe(1, "a");
    hall.subscribe(2, "a");
    let one = message("a");
    hall.say(0, &one);
    assert_eq!((hall.take(1), hall.take(2)), (one.clone(), one.clone()));
    hall.ends.clear();
    assert!(hall.relay.topics.lock().unwrap().is_empty());
}
