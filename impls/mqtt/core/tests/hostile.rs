//! The core under clients that say anything: packets of the corpus, whole or with a byte changed, at any
//! time, beside clients that do nothing wrong.
//!
//! Whatever comes, nothing panics, who did nothing wrong is not closed, all that is sent can be read, and what
//! waits for a client is bounded. Seen to fail without either bound of `session.rs`, and with a core that closes who
//! is silent without a limit, or whose session is its own.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use ringside_contract::Settings;
use ringside_engine::Inbox;
use ringside_wire::mqtt::packet::Wanted;

use super::super::*;
use super::hall::*;

/// Versions of connections, and packets.
static CORPUS: LazyLock<Vec<(Version, Vec<u8>)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/corpora/mqtt_packet");
    let files = std::fs::read_dir(folder).expect("the corpus is there");
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let input = |path| {
        let input = std::fs::read(path).unwrap();
        let version = if input[0] == 0 { V311 } else { V5 };
        (version, input[1..].to_vec())
    };
    paths.iter().map(input).collect()
});

/// Clients beside the witness, which has number 0.
const CLIENTS: usize = 4;
const TOPICS: [&str; 3] = ["a", "a/b", "$own"];
const FILTERS: [&str; 5] = ["a", "a/+", "#", "+/b", "$share/g/a"];
const PAYLOAD_MAX: usize = 500_000;
/// Bytes that one delivery may have: what waits at most (`session.rs`), and the last message.
const DELIVERY_MAX: usize = (512 << 10) + PAYLOAD_MAX + 100;

#[derive(Debug, Clone)]
enum Action {
    /// A packet of the corpus, perhaps with a byte changed.
    Anything {
        sample: usize,
        change: Option<(usize, u8)>,
    },
    /// A new connection of a client that may have one.
    Connect {
        name: usize,
        clean_start: bool,
        expiry_s: u32,
        is_v5: bool,
    },
    Subscribe {
        filter: usize,
        quality: QualityOfService,
    },
    Publish {
        topic: usize,
        quality: QualityOfService,
        retain: bool,
        length: usize,
    },
    /// Takes what waits.
    Take,
    Lose,
    Pass(Millis),
}

fn quality() -> impl Strategy<Value = QualityOfService> {
    (0..3_u8).prop_map(|bits| QualityOfService::from_bits(bits).expect("0 to 2 are qualities"))
}

fn action() -> impl Strategy<Value = Action> {
    let change = prop::option::weighted(0.3, (0..40_usize, any::<u8>()));
    let length = prop_oneof![4 => 0..200_usize, 1 => 0..PAYLOAD_MAX];
    prop_oneof![
        4 => (0..CORPUS.len(), change)
            .prop_map(|(sample, change)| Action::Anything { sample, change }),
        4 => (0..3_usize, any::<bool>(), 0..20_u32, any::<bool>()).prop_map(
            |(name, clean_start, expiry_s, is_v5)| Action::Connect { name, clean_start, expiry_s, is_v5 }
        ),
        4 => (0..FILTERS.len(), quality())
            .prop_map(|(filter, quality)| Action::Subscribe { filter, quality }),
        6 => (0..TOPICS.len(), quality(), any::<bool>(), length).prop_map(
            |(topic, quality, retain, length)| Action::Publish { topic, quality, retain, length }
        ),
        2 => Just(Action::Take),
        1 => Just(Action::Lose),
        1 => (0..30_000_u64).prop_map(Action::Pass),
    ]
}

struct Client {
    connection: Connection,
    /// It has said what it must not, or another took its name: it may be closed.
    may_be_closed: bool,
    name: Option<usize>,
}

struct Hall {
    mqtt: Mqtt,
    inbox: Arc<Inbox>,
    clients: Vec<Option<Client>>,
    now: Millis,
}

impl Hall {
    fn new() -> Self {
        let settings = BrokerSettings::new(&Settings::default()).expect("defaults are right");
        let mut hall = Self {
            mqtt: Mqtt::open(&settings, None).unwrap(),
            inbox: Inbox::new().expect("a descriptor is left"),
            clients: (0..=CLIENTS).map(|_| None).collect(),
            now: 0,
        };
        hall.connect(0, "witness", true, 0, true);
        hall.subscribe(0, "#", ExactlyOnce);
        hall
    }

    fn act(&mut self, number: usize, action: &Action) {
        match *action {
            Action::Anything { sample, change } => {
                let (version, packet) = &CORPUS[sample];
                let mut bytes = packet.clone();
                if let Some((at, byte)) = change {
                    let at = at % bytes.len();
                    bytes[at] = byte;
                }
                if self.clients[number].is_none() {
                    self.enter(number, *version);
                }
                self.say(number, &bytes, true);
            }
            Action::Connect {
                name,
                clean_start,
                expiry_s,
                is_v5,
            } => {
                for other in self.clients.iter_mut().flatten() {
                    other.may_be_closed |= other.name == Some(name);
                }
                let client = ["x", "y", "z"][name];
                self.connect(number, client, clean_start, expiry_s, is_v5);
                if let Some(client) = &mut self.clients[number] {
                    client.name = Some(name);
                }
            }
            Action::Subscribe { filter, quality } => {
                self.subscribe(number, FILTERS[filter], quality);
            }
            Action::Publish {
                topic,
                quality,
                retain,
                length,
            } => {
                self.publish(number, TOPICS[topic], quality, retain, length);
            }
            Action::Take => _ = self.take(number),
            Action::Lose => self.clients[number] = None,
            Action::Pass(milliseconds) => self.pass(milliseconds),
        }
    }

    fn enter(&mut self, number: usize, version: Version) {
        // The old connection is gone before the new one comes.
        self.clients[number] = None;
        let mut connection = self.mqtt.open(self.now);
        connection.version = version;
        let caller = self.inbox.caller(number as u64);
        self.mqtt.introduce(&mut connection, caller);
        self.clients[number] = Some(Client {
            connection,
            may_be_closed: false,
            name: None,
        });
    }

    fn connect(
        &mut self,
        number: usize,
        client: &str,
        clean_start: bool,
        expiry_s: u32,
        is_v5: bool,
    ) {
        let version = if is_v5 { V5 } else { V311 };
        let connect = encode::Connect {
            version,
            clean_start,
            keep_alive: 0,
            client,
            will: None,
            user_name: None,
            password: None,
            properties: &[(PropertyId::SESSION_EXPIRY, Value::Number(expiry_s))],
        };
        self.enter(number, version);
        let mut bytes = Vec::new();
        encode::connect(&mut bytes, &connect);
        self.say(number, &bytes, false);
    }

    fn subscribe(&mut self, number: usize, filter: &str, quality: QualityOfService) {
        let wanted = Wanted {
            filter,
            quality,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        };
        self.say_in_version(number, |out, version| {
            encode::subscribe(out, version, 1, &[], &[wanted]);
        });
    }

    fn publish(
        &mut self,
        number: usize,
        topic: &str,
        quality: QualityOfService,
        retain: bool,
        length: usize,
    ) {
        let publish = encode::Publish {
            duplicate: false,
            quality,
            retain,
            topic,
            identifier: 9,
            properties: &[],
            payload: &vec![b'x'; length],
        };
        self.say_in_version(number, |out, version| {
            _ = encode::publish(out, version, &publish);
        });
    }

    /// Says a right packet, when it has been let in.
    fn say_in_version(&mut self, number: usize, write: impl FnOnce(&mut Vec<u8>, Version)) {
        let Some(client) = &self.clients[number] else {
            return;
        };
        let mut bytes = Vec::new();
        write(&mut bytes, client.connection.version);
        let may_be_wrong = client.connection.session.is_none();
        self.say(number, &bytes, may_be_wrong);
    }

    fn say(&mut self, number: usize, bytes: &[u8], may_be_wrong: bool) {
        let Some(client) = &mut self.clients[number] else {
            return;
        };
        client.may_be_closed |= may_be_wrong;
        let mut out = Vec::new();
        let progress = self
            .mqtt
            .receive(&mut client.connection, bytes, self.now, &mut out);
        assert!(progress.consumed <= bytes.len());
        assert_readable(&client.connection, &out);
        if matches!(progress.step, Step::Close) {
            assert!(client.may_be_closed, "closed without a fault of its own");
            self.clients[number] = None;
        }
    }

    /// Takes what waits for a client. Gives the number of bytes.
    fn take(&mut self, number: usize) -> usize {
        let mut length = 0;
        while let Some(client) = &mut self.clients[number] {
            let mut out = Vec::new();
            let delivery = self
                .mqtt
                .deliver(&mut client.connection, self.now, &mut out);
            assert!(out.len() <= DELIVERY_MAX, "{} bytes waited", out.len());
            assert_readable(&client.connection, &out);
            length += out.len();
            match delivery {
                Delivery::More => {}
                Delivery::Done => break,
                Delivery::Close => {
                    assert!(client.may_be_closed, "closed without a fault of its own");
                    self.clients[number] = None;
                }
            }
        }
        length
    }

    fn pass(&mut self, milliseconds: Millis) {
        self.now += milliseconds;
        for place in &mut self.clients {
            let Some(client) = place else { continue };
            let mut out = Vec::new();
            if self.mqtt.tick(&mut client.connection, self.now, &mut out) == Tick::Close {
                assert!(client.may_be_closed, "closed without a fault of its own");
                *place = None;
            }
        }
    }
}

/// What is sent is whole packets that clients may get.
fn assert_readable(connection: &Connection, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let header = header::parse(rest, PACKET_MAX + 100).expect("a right header");
        let header = header.expect("a whole header");
        let (packet, behind) = rest.split_at(header.packet_length());
        let packet = packet::decode(connection.version, header, &packet[header.length..]);
        let packet = packet.unwrap_or_else(|refusal| panic!("{refusal}: {rest:02x?}"));
        let for_servers = matches!(
            packet,
            Packet::Connect(_) | Packet::Subscribe(_) | Packet::Unsubscribe(_) | Packet::PingReq
        );
        assert!(!for_servers, "{packet:?}");
        rest = behind;
    }
}

/// DISCONNECT has no words for a version that is not known.
#[test]
fn a_second_connect_is_a_protocol_error_however_broken_it_is() {
    let mut hall = Hall::new();
    let client = hall.clients[0].as_mut().unwrap();
    let again = b"\x10\x0c\0\x04MQTT\x06\x02\0\0\0\0";
    let mut out = Vec::new();
    hall.mqtt
        .receive(&mut client.connection, again, 0, &mut out);
    assert_eq!(out, [0xe0, 1, Reason::PROTOCOL_ERROR.0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn who_does_nothing_wrong_is_served_beside_those_who_do(
        actions in prop::collection::vec((1..=CLIENTS, action()), 1..150)
    ) {
        let mut hall = Hall::new();
        for (number, action) in &actions {
            hall.act(*number, action);
        }
        hall.take(0);
        hall.publish(0, "a", AtMostOnce, false, 10);
        // Two bytes of the header, three of the topic, and in 5.0 one of properties.
        prop_assert_eq!(hall.take(0), 2 + 3 + 1 + 10);
        for number in 0..=CLIENTS {
            hall.take(number);
            hall.clients[number] = None;
        }
        let counters = hall.mqtt.broker().counters();
        prop_assert!(counters["sessions"] <= actions.len() as u64 + 1);
    }
}
