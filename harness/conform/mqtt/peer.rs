//! A blocking MQTT client for cases, which says what it expected when something else came.

use std::sync::atomic::{AtomicU32, Ordering};

use ringside_wire::mqtt::encode::{self, List, PACKET_MAX};
use ringside_wire::mqtt::header::{self, Kind};
use ringside_wire::mqtt::packet::{self, Packet, Wanted};
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version};

use crate::case::{Failure, Target, ensure};
use crate::client::Client;

pub(super) use QualityOfService::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// One client.
pub(super) struct Peer {
    pub(super) client: Client,
    pub(super) version: Version,
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) quality: QualityOfService,
    pub(super) retain: bool,
    pub(super) duplicate: bool,
    pub(super) identifier: u16,
    /// Numbers and texts of its properties, for looking one up.
    pub(super) numbers: Vec<(PropertyId, u32)>,
    pub(super) texts: Vec<(PropertyId, String)>,
}

/// A name that no other case, and no other run, has.
pub(super) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{}-{count}", std::process::id())
}

/// A CONNECT of a new session without a limit of silence.
pub(super) fn hello(version: Version, client: &str) -> encode::Connect<'_> {
    encode::Connect {
        version,
        clean_start: true,
        keep_alive: u16::MAX,
        client,
        will: None,
        user_name: None,
        password: None,
        properties: &[],
    }
}

impl Peer {
    /// Connected, with a new session.
    pub(super) fn connect(target: &Target, version: Version) -> Result<Self, Failure> {
        Ok(Self::with(target, &hello(version, &unique("client")))?.0)
    }

    /// Connected; true when the broker had a session of this client.
    pub(super) fn with(
        target: &Target,
        connect: &encode::Connect<'_>,
    ) -> Result<(Self, bool), Failure> {
        let mut peer = Self::silent(target, connect.version)?;
        peer.send(|out, _| encode::connect(out, connect))?;
        let (code, present) = peer.connect_answer()?;
        ensure(code == 0, || {
            format!("the CONNECT was refused with code {code}")
        })?;
        Ok((peer, present))
    }

    /// A connection on which nothing was said.
    pub(super) fn silent(target: &Target, version: Version) -> Result<Self, Failure> {
        let client = Client::connect(target)?;
        Ok(Self { client, version })
    }

    pub(super) fn send(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>, Version),
    ) -> Result<(), Failure> {
        let mut out = Vec::new();
        write(&mut out, self.version);
        self.client.send(&out)
    }

    /// The next packet, if `take` wants it.
    pub(super) fn next<T>(
        &mut self,
        expected: &str,
        take: impl FnOnce(&Packet<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        let refused =
            |refusal| Failure::new(format!("expected {expected}; no packet came: {refusal}"));
        let header = loop {
            match header::parse(&self.client.pending, PACKET_MAX).map_err(refused)? {
                Some(header) if self.client.pending.len() >= header.packet_length() => {
                    break header;
                }
                _ => ensure(self.client.more(64 << 10)?, || {
                    format!("expected {expected}; the connection ended")
                })?,
            }
        };
        let bytes = self.client.take(header.packet_length())?;
        let packet = packet::decode(self.version, header, &bytes[header.length..]);
        let packet = packet.map_err(refused)?;
        take(&packet).ok_or_else(|| Failure::new(format!("expected {expected}; {packet:?} came")))
    }

    /// The code of the CONNACK, and whether there was a session.
    pub(super) fn connect_answer(&mut self) -> Result<(u8, bool), Failure> {
        self.next("a CONNACK", |packet| match packet {
            Packet::ConnAck(answer) => Some((answer.code, answer.session_present)),
            _ => None,
        })
    }

    /// Subscribes to one filter and expects `quality` to be granted.
    pub(super) fn subscribe(
        &mut self,
        filter: &str,
        quality: QualityOfService,
    ) -> Result<(), Failure> {
        self.subscribe_as(&wish(filter, quality), &[])
    }

    pub(super) fn subscribe_as(
        &mut self,
        wanted: &Wanted<'_>,
        properties: List<'_>,
    ) -> Result<(), Failure> {
        let code = self.subscribe_code(wanted, properties)?;
        ensure(code == wanted.quality as u8, || {
            format!("`{}` was answered with code {code}", wanted.filter)
        })
    }

    pub(super) fn subscribe_code(
        &mut self,
        wanted: &Wanted<'_>,
        properties: List<'_>,
    ) -> Result<u8, Failure> {
        self.send(|out, version| encode::subscribe(out, version, 77, properties, &[*wanted]))?;
        self.next("a SUBACK of packet 77", |packet| match packet {
            Packet::SubAck(answer) if answer.identifier == 77 => answer.codes.first().copied(),
            _ => None,
        })
    }

    /// Publishes with packet identifier 5 and does its part of the handshake.
    pub(super) fn publish(
        &mut self,
        topic: &str,
        payload: &[u8],
        quality: QualityOfService,
    ) -> Result<(), Failure> {
        self.publish_as(&message(topic, payload, quality))
    }

    pub(super) fn publish_as(&mut self, publish: &encode::Publish<'_>) -> Result<(), Failure> {
        self.send(|out, version| _ = encode::publish(out, version, publish))?;
        let number = publish.identifier;
        match publish.quality {
            AtMostOnce => Ok(()),
            AtLeastOnce => self.acknowledged(Kind::PubAck, number),
            ExactlyOnce => {
                self.acknowledged(Kind::PubRec, number)?;
                self.acknowledge(Kind::PubRel, number)?;
                self.acknowledged(Kind::PubComp, number)
            }
        }
    }

    pub(super) fn acknowledge(&mut self, kind: Kind, number: u16) -> Result<(), Failure> {
        self.send(|out, version| {
            encode::acknowledge(out, version, kind, number, Reason::SUCCESS, &[]);
        })
    }

    pub(super) fn acknowledged(&mut self, kind: Kind, number: u16) -> Result<(), Failure> {
        self.next(
            &format!("{kind:?} of packet {number}"),
            |packet| match packet {
                Packet::Acknowledge(answer)
                    if (answer.kind, answer.identifier) == (kind, number)
                        && !answer.reason.is_failure() =>
                {
                    Some(())
                }
                _ => None,
            },
        )
    }

    /// The next message, without an answer.
    pub(super) fn message(&mut self) -> Result<Message, Failure> {
        self.next("a PUBLISH", |packet| match packet {
            Packet::Publish(publish) => {
                let properties = || publish.properties.iter();
                Some(Message {
                    topic: publish.topic.to_owned(),
                    payload: publish.payload.to_vec(),
                    quality: publish.quality,
                    retain: publish.retain,
                    duplicate: publish.duplicate,
                    identifier: publish.identifier,
                    numbers: properties()
                        .filter_map(|(id, value)| match value {
                            Value::Number(number) => Some((id, number)),
                            _ => None,
                        })
                        .collect(),
                    texts: properties().filter_map(text).collect(),
                })
            }
            _ => None,
        })
    }

    /// The next message, which must be this one; does its part of the handshake.
    pub(super) fn expect(
        &mut self,
        topic: &str,
        payload: &[u8],
        quality: QualityOfService,
    ) -> Result<Message, Failure> {
        let came = self.message()?;
        let right = came.topic == topic && came.payload == payload && came.quality == quality;
        ensure(right, || {
            format!("expected {payload:?} on `{topic}` at {quality:?}; {came:?} came")
        })?;
        match quality {
            AtMostOnce => {}
            AtLeastOnce => self.acknowledge(Kind::PubAck, came.identifier)?,
            ExactlyOnce => {
                self.acknowledge(Kind::PubRec, came.identifier)?;
                self.acknowledged(Kind::PubRel, came.identifier)?;
                self.acknowledge(Kind::PubComp, came.identifier)?;
            }
        }
        Ok(came)
    }

    /// The broker answers a ping: whatever it sent before has come, and nothing else.
    pub(super) fn expect_nothing(&mut self) -> Result<(), Failure> {
        self.send(|out, _| encode::ping(out, Kind::PingReq))?;
        self.next("nothing but a PINGRESP", |packet| match packet {
            Packet::PingResp => Some(()),
            _ => None,
        })
    }

    /// The payloads of the messages in front of the answer to a ping.
    pub(super) fn payloads(&mut self) -> Result<Vec<Vec<u8>>, Failure> {
        self.send(|out, _| encode::ping(out, Kind::PingReq))?;
        let mut payloads = Vec::new();
        loop {
            let payload = self.next("a message or a PINGRESP", |packet| match packet {
                Packet::Publish(publish) => Some(Some(publish.payload.to_vec())),
                Packet::PingResp => Some(None),
                _ => None,
            })?;
            match payload {
                Some(payload) => payloads.push(payload),
                None => return Ok(payloads),
            }
        }
    }

    /// The connection ends, at most after a CONNACK or a DISCONNECT that says why.
    pub(super) fn expect_refusal(&mut self) -> Result<(), Failure> {
        // An end without words is one too.
        let _ = self.next("a refusal", |packet| match packet {
            Packet::Disconnect(_) => Some(()),
            Packet::ConnAck(answer) if answer.code != 0 => Some(()),
            _ => None,
        });
        self.client.expect_end()
    }
}

fn text((id, value): (PropertyId, Value<'_>)) -> Option<(PropertyId, String)> {
    match value {
        Value::Text(text) => Some((id, text.to_owned())),
        Value::Binary(bytes) => Some((id, String::from_utf8_lossy(bytes).into_owned())),
        Value::Pair(name, value) => Some((id, format!("{name}={value}"))),
        Value::Number(_) => None,
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

/// A plain message, packet 5 where it has a number.
pub(super) fn message<'a>(
    topic: &'a str,
    payload: &'a [u8],
    quality: QualityOfService,
) -> encode::Publish<'a> {
    encode::Publish {
        duplicate: false,
        quality,
        retain: false,
        topic,
        identifier: 5,
        properties: &[],
        payload,
    }
}
