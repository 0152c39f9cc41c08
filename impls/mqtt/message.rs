//! A message on its way: once as it was published, and once for each form in which it leaves.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use ringside_engine::Millis;
use ringside_wire::mqtt::encode::{self, List};
use ringside_wire::mqtt::header;
use ringside_wire::mqtt::packet::{self, Packet};
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::{QualityOfService, Version};

/// A message that is kept: in a queue, in flight, or as a topic's last.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: Box<str>,
    pub(crate) payload: Box<[u8]>,
    pub(crate) quality: QualityOfService,
    /// Its properties as they came, but for those of one connection alone.
    properties: Box<[Property]>,
    /// When it is of no use any more.
    pub(crate) expires: Option<Millis>,
    /// Its number in the broker's journal; 0 for none.
    pub(crate) number: AtomicU64,
}

#[cfg(test)]
impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let payload = String::from_utf8_lossy(&self.payload);
        let (topic, quality, properties) = (&self.topic, self.quality, &self.properties);
        write!(f, "{topic}: {payload} {quality:?} {properties:?}")
    }
}

#[derive(Debug)]
struct Property {
    id: PropertyId,
    value: Owned,
}

#[derive(Debug)]
enum Owned {
    Number(u32),
    Text(Box<str>),
    Binary(Box<[u8]>),
    Pair(Box<str>, Box<str>),
}

impl Message {
    /// A copy of the parts of a message; the properties are those that are passed on.
    pub(crate) fn new(
        topic: &str,
        payload: &[u8],
        properties: List<'_>,
        quality: QualityOfService,
        now: Millis,
    ) -> Arc<Self> {
        let expires = properties.iter().find_map(|property| match *property {
            (PropertyId::MESSAGE_EXPIRY, Value::Number(seconds)) => Some(seconds),
            _ => None,
        });
        Arc::new(Self {
            topic: topic.into(),
            payload: payload.into(),
            quality,
            properties: properties.iter().map(Property::new).collect(),
            expires: expires.map(|seconds| now + 1000 * Millis::from(seconds)),
            number: AtomicU64::new(0),
        })
    }

    /// All that there is to it but for the time when it expires, as a packet.
    pub(crate) fn packet(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        let own = self.properties.iter();
        let properties: Vec<_> = own
            .map(|property| (property.id, property.value.borrowed()))
            .collect();
        let publish = encode::Publish {
            duplicate: false,
            quality: self.quality,
            retain: false,
            topic: &self.topic,
            // At QoS 1 and 2 there has to be one.
            identifier: 1,
            properties: &properties,
            payload: &self.payload,
        };
        encode::publish(&mut packet, Version::V5, &publish);
        packet
    }

    /// The message of such a packet; `None` when it is none.
    pub(crate) fn of_packet(bytes: &[u8], expires: Option<Millis>) -> Option<Arc<Self>> {
        let header = header::parse(bytes, usize::MAX).ok()??;
        let body = bytes.get(header.length..header.packet_length())?;
        let Ok(Packet::Publish(publish)) = packet::decode(Version::V5, header, body) else {
            return None;
        };
        let properties = encode::passed_on(&publish.properties);
        Some(Arc::new(Self {
            topic: publish.topic.into(),
            payload: publish.payload.into(),
            quality: publish.quality,
            properties: properties.iter().map(Property::new).collect(),
            expires,
            number: AtomicU64::new(0),
        }))
    }

    /// Routes it.
    pub(crate) fn routed<'a>(self: &'a Arc<Self>, properties: List<'a>, now: Millis) -> Routed<'a> {
        let mut routed = Routed::new(&self.topic, &self.payload, properties, self.quality, now);
        routed.kept = Some(Arc::clone(self));
        routed
    }

    /// False once its time is over.
    pub(crate) fn is_current(&self, now: Millis) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// Its properties, with the time that it has left, and the subscriptions that it matched.
    pub(crate) fn properties<'a>(
        &'a self,
        subscriptions: &[u32],
        now: Millis,
    ) -> Vec<(PropertyId, Value<'a>)> {
        let left = self
            .expires
            .map(|expires| expires.saturating_sub(now).div_ceil(1000));
        let own = self.properties.iter().map(|property| {
            let value = match (property.id, left) {
                (PropertyId::MESSAGE_EXPIRY, Some(left)) => {
                    Value::Number(u32::try_from(left).unwrap_or(u32::MAX))
                }
                _ => property.value.borrowed(),
            };
            (property.id, value)
        });
        let matched = subscriptions.iter().map(subscription);
        own.chain(matched).collect()
    }
}

/// The property that names a subscription.
pub(crate) fn subscription<'a>(number: &u32) -> (PropertyId, Value<'a>) {
    (PropertyId::SUBSCRIPTION, Value::Number(*number))
}

impl Property {
    fn new(&(id, value): &(PropertyId, Value<'_>)) -> Self {
        let value = match value {
            Value::Number(number) => Owned::Number(number),
            Value::Text(text) => Owned::Text(text.into()),
            Value::Binary(bytes) => Owned::Binary(bytes.into()),
            Value::Pair(name, value) => Owned::Pair(name.into(), value.into()),
        };
        Self { id, value }
    }
}

impl Owned {
    fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(text),
            Self::Binary(bytes) => Value::Binary(bytes),
            Self::Pair(name, value) => Value::Pair(name, value),
        }
    }
}

/// A message being routed, and the forms of it that subscribers were given so far. Each form is written
/// once and copied for the next subscriber.
pub(crate) struct Routed<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    /// As they are passed on.
    pub(crate) properties: List<'a>,
    pub(crate) quality: QualityOfService,
    pub(crate) now: Millis,
    forms: Vec<Form>,
    kept: Option<Arc<Message>>,
}

struct Form {
    version: Version,
    quality: QualityOfService,
    retain: bool,
    bytes: Vec<u8>,
    /// Where the packet identifier is.
    identifier_at: Option<usize>,
}

impl<'a> Routed<'a> {
    pub(crate) fn new(
        topic: &'a str,
        payload: &'a [u8],
        properties: List<'a>,
        quality: QualityOfService,
        now: Millis,
    ) -> Self {
        Self {
            topic,
            payload,
            properties,
            quality,
            now,
            forms: Vec::new(),
            kept: None,
        }
    }

    /// The same, without the forms that were written so far, for another thread.
    pub(crate) fn again(&self) -> Self {
        Self {
            forms: Vec::new(),
            kept: self.kept.clone(),
            ..*self
        }
    }

    /// A copy that can be kept, the same for all who keep it.
    pub(crate) fn kept(&mut self) -> Arc<Message> {
        let (topic, payload) = (self.topic, self.payload);
        let (properties, quality, now) = (self.properties, self.quality, self.now);
        let kept = self
            .kept
            .get_or_insert_with(|| Message::new(topic, payload, properties, quality, now));
        Arc::clone(kept)
    }

    /// The bytes for a subscriber without subscription identifiers, and the place of the packet
    /// identifier in them.
    pub(crate) fn form(
        &mut self,
        version: Version,
        quality: QualityOfService,
        retain: bool,
    ) -> (&[u8], Option<usize>) {
        let known = self.forms.iter().position(|form| {
            (form.version, form.quality, form.retain) == (version, quality, retain)
        });
        let at = known.unwrap_or_else(|| {
            let mut bytes = Vec::new();
            let publish = encode::Publish {
                duplicate: false,
                quality,
                retain,
                topic: self.topic,
                identifier: 0,
                properties: self.properties,
                payload: self.payload,
            };
            let identifier_at = encode::publish(&mut bytes, version, &publish);
            self.forms.push(Form {
                version,
                quality,
                retain,
                bytes,
                identifier_at,
            });
            self.forms.len() - 1
        });
        let form = &self.forms[at];
        (&form.bytes, form.identifier_at)
    }
}
