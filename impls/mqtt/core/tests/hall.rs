//! Clients of one broker, with time of their own.

use ringside_contract::Settings;
use ringside_engine::Inbox;
use ringside_wire::mqtt::packet::Wanted;

pub(super) use ringside_wire::mqtt::QualityOfService;
pub(super) use ringside_wire::mqtt::encode::{self, List};
pub(super) use ringside_wire::mqtt::header::{self, Kind};
pub(super) use ringside_wire::mqtt::packet::{self, Packet, Publish};
pub(super) use ringside_wire::mqtt::property::{PropertyId, Value};

use super::super::*;
pub(super) use crate::aliases::ALIASES_MAX;

pub(super) use QualityOfService::{AtLeastOnce, AtMostOnce, ExactlyOnce};
pub(super) use Version::{V5, V311};

/// Both versions.
pub(super) const BOTH: [Version; 2] = [V311, V5];

/// Every quality.
pub(super) const QUALITIES: [QualityOfService; 3] = [AtMostOnce, AtLeastOnce, ExactlyOnce];

/// A broker with every axis at its default.
pub(super) fn broker() -> Mqtt {
    Mqtt::open(&BrokerSettings::new(&Settings::default()).unwrap(), None).unwrap()
}

/// Clients of one broker.
pub(super) struct Hall {
    pub(super) mqtt: Mqtt,
    inbox: Arc<Inbox>,
    pub(super) clients: Vec<Option<Connection>>,
    pub(super) now: Millis,
}

/// What a client is answered at once, and whether its connection ended with that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) bytes: Vec<u8>,
    pub(super) ended: bool,
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) topic: String,
    pub(super) payload: String,
    pub(super) quality: QualityOfService,
    pub(super) retain: bool,
    pub(super) duplicate: bool,
    pub(super) identifier: u16,
    /// Its properties by their numbers, as text.
    pub(super) properties: Vec<(u8, String)>,
}

impl Hall {
    pub(super) fn new() -> Self {
        Self::of(broker())
    }

    pub(super) fn of(mqtt: Mqtt) -> Self {
        Self {
            mqtt,
            inbox: Inbox::new().unwrap(),
            clients: Vec::new(),
            now: 0,
        }
    }

    /// A connection on which nothing was said; gives its number.
    pub(super) fn enter(&mut self) -> usize {
        let number = self.clients.len();
        let mut connection = self.mqtt.open(self.now);
        self.mqtt
            .introduce(&mut connection, self.inbox.caller(number as u64));
        self.clients.push(Some(connection));
        number
    }

    pub(super) fn connect(&mut self, connect: &encode::Connect<'_>) -> usize {
        self.connect_present(connect).0
    }

    /// Connected; true where the broker had a session.
    pub(super) fn connect_present(&mut self, connect: &encode::Connect<'_>) -> (usize, bool) {
        let number = self.enter();
        let answer = self.say(number, |out| encode::connect(out, connect));
        assert_eq!(&answer[..1], b"\x20", "{answer:02x?}");
        assert_eq!(answer[3], 0, "refused: {answer:02x?}");
        (number, answer[2] == 1)
    }

    /// What a client is answered at once.
    pub(super) fn say(&mut self, number: usize, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        self.tell(number, &written(write)).bytes
    }

    /// What a client is answered at once, and whether that was the end.
    pub(super) fn tell(&mut self, number: usize, bytes: &[u8]) -> Said {
        let mut out = Vec::new();
        let client = self.clients[number].as_mut().unwrap();
        let progress = self.mqtt.receive(client, bytes, self.now, &mut out);
        let ended = matches!(progress.step, Step::Close);
        Said { bytes: out, ended }
    }

    /// What waits for a client.
    pub(super) fn take(&mut self, number: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let client = self.clients[number].as_mut().unwrap();
        while self.mqtt.deliver(client, self.now, &mut out) == Delivery::More {}
        out
    }

    pub(super) fn version(&self, number: usize) -> Version {
        self.clients[number].as_ref().unwrap().version
    }

    /// The messages that wait for a client; nothing else may.
    pub(super) fn messages(&mut self, number: usize) -> Vec<Came> {
        let (version, bytes) = (self.version(number), self.take(number));
        let mut messages = Vec::new();
        each_packet(version, &bytes, |packet| match packet {
            Packet::Publish(publish) => messages.push(Came::new(publish)),
            other => panic!("{other:?} came"),
        });
        messages
    }

    /// The message that waits for a client, alone.
    pub(super) fn message(&mut self, number: usize) -> Came {
        let mut messages = self.messages(number);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    /// The payloads of the messages that wait for a client.
    pub(super) fn payloads(&mut self, number: usize) -> Vec<String> {
        let (version, bytes) = (self.version(number), self.take(number));
        let mut payloads = Vec::new();
        each_packet(version, &bytes, |packet| {
            if let Packet::Publish(publish) = packet {
                payloads.push(String::from_utf8_lossy(publish.payload).into_owned());
            }
        });
        payloads
    }

    /// The client's session belongs to another connection: it is told, and its own ends.
    pub(super) fn take_end(&mut self, number: usize) {
        let client = self.clients[number].as_mut().unwrap();
        let told = self.mqtt.deliver(client, self.now, &mut Vec::new());
        assert_eq!(told, Delivery::Close);
        self.lose(number);
    }

    /// The connection of a client breaks.
    pub(super) fn lose(&mut self, number: usize) {
        self.clients[number] = None;
    }

    /// A client says goodbye and closes its connection.
    pub(super) fn leave(&mut self, number: usize) {
        assert!(self.tell(number, b"\xe0\x00").ended);
        self.lose(number);
    }

    /// Lets time pass, with a look at deadlines each second. What `number` is told at the end, if it was.
    pub(super) fn pass(&mut self, milliseconds: Millis, number: usize) -> Option<Vec<u8>> {
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

    pub(super) fn subscribe(&mut self, number: usize, filter: &str, quality: QualityOfService) {
        let answer = self.subscribe_as(number, &[wish(filter, quality)], &[]);
        assert_eq!(answer.last(), Some(&(quality as u8)), "`{filter}`");
    }

    /// Subscribes with packet 1; gives the answer.
    pub(super) fn subscribe_as(
        &mut self,
        number: usize,
        wanted: &[Wanted<'_>],
        properties: List<'_>,
    ) -> Vec<u8> {
        let version = self.version(number);
        self.say(number, |out| {
            encode::subscribe(out, version, 1, properties, wanted);
        })
    }

    pub(super) fn publish(&mut self, number: usize, publish: &encode::Publish<'_>) -> Vec<u8> {
        let version = self.version(number);
        self.say(number, |out| _ = encode::publish(out, version, publish))
    }

    /// An acknowledgement without a reason, which both versions write alike; gives the answer.
    pub(super) fn acknowledge(&mut self, number: usize, kind: Kind, identifier: u16) -> Vec<u8> {
        self.tell(number, &short(kind, identifier)).bytes
    }
}

impl Came {
    fn new(publish: Publish<'_>) -> Self {
        let text = |(id, value): (PropertyId, Value<'_>)| {
            let text = match value {
                Value::Number(number) => number.to_string(),
                Value::Text(text) => text.to_owned(),
                Value::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Value::Pair(name, value) => format!("{name}={value}"),
            };
            (id.0, text)
        };
        Self {
            topic: publish.topic.to_owned(),
            payload: String::from_utf8_lossy(publish.payload).into_owned(),
            quality: publish.quality,
            retain: publish.retain,
            duplicate: publish.duplicate,
            identifier: publish.identifier,
            properties: publish.properties.iter().map(text).collect(),
        }
    }

    /// Every value of one property.
    pub(super) fn property(&self, wanted: PropertyId) -> Vec<&str> {
        let found = self.properties.iter().filter(|(id, _)| *id == wanted.0);
        found.map(|(_, text)| &**text).collect()
    }
}

/// The bytes of a packet.
pub(super) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

/// Reads packets as a client does: one that the grammar does not know is a failure.
pub(super) fn each_packet(version: Version, bytes: &[u8], mut take: impl FnMut(Packet<'_>)) {
    let mut rest = bytes;
    while let Some(header) = header::parse(rest, PACKET_MAX).unwrap() {
        let (packet, behind) = rest.split_at(header.packet_length());
        take(packet::decode(version, header, &packet[header.length..]).unwrap());
        rest = behind;
    }
    assert_eq!(rest, b"");
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP that says success in as few bytes as it can.
pub(super) fn short(kind: Kind, identifier: u16) -> [u8; 4] {
    let flags = if kind == Kind::PubRel { 2 } else { 0 };
    let [high, low] = identifier.to_be_bytes();
    [(kind as u8) << 4 | flags, 2, high, low]
}

pub(super) fn hello(client: &str) -> encode::Connect<'_> {
    hello_in(V5, client)
}

/// A CONNECT of a new session without a limit of silence.
pub(super) fn hello_in(version: Version, client: &str) -> encode::Connect<'_> {
    encode::Connect {
        version,
        clean_start: true,
        keep_alive: 0,
        client,
        will: None,
        user_name: None,
        password: None,
        properties: &[],
    }
}

/// A CONNECT of a session that stays: for a minute in 5.0, for ever in 3.1.1.
pub(super) fn lasting(version: Version, client: &str) -> encode::Connect<'_> {
    encode::Connect {
        clean_start: false,
        properties: LASTING,
        ..hello_in(version, client)
    }
}

pub(super) fn message<'a>(
    topic: &'a str,
    payload: &'a str,
    quality: QualityOfService,
) -> encode::Publish<'a> {
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

/// The same, to be kept.
pub(super) fn kept<'a>(
    topic: &'a str,
    payload: &'a str,
    quality: QualityOfService,
) -> encode::Publish<'a> {
    encode::Publish {
        retain: true,
        ..message(topic, payload, quality)
    }
}

/// A plain subscription.
pub(super) fn wish(filter: &str, quality: QualityOfService) -> Wanted<'_> {
    Wanted {
        filter,
        quality,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    }
}

pub(super) const LASTING: List<'static> = &[(PropertyId::SESSION_EXPIRY, Value::Number(60))];
