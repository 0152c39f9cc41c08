//! Properties of 5.0 (MQTT 5.0, 2.2.2): checked once as a whole, then read one by one.

use super::reader::Reader;
use super::{Refusal, malformed, protocol_error, topic};

/// What a property is about, by its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertyId(pub u8);

/// The value of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// One, two or four bytes, or a number of variable length.
    Number(u32),
    /// UTF-8 without U+0000.
    Text(&'a str),
    /// Any bytes.
    Binary(&'a [u8]),
    /// A name and a value: the user property.
    Pair(&'a str, &'a str),
}

/// Where properties stand; each place allows some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Place {
    Connect = 1,
    Will = 1 << 1,
    ConnAck = 1 << 2,
    Publish = 1 << 3,
    Acknowledgement = 1 << 4,
    Subscribe = 1 << 5,
    SubAck = 1 << 6,
    Unsubscribe = 1 << 7,
    Disconnect = 1 << 8,
    Auth = 1 << 9,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// 0 or 1.
    Flag,
    Two,
    /// Two bytes, not 0.
    TwoPositive,
    Four,
    FourPositive,
    /// Of variable length, not 0.
    Variable,
    Text,
    /// The name of a topic.
    Topic,
    Binary,
    Pair,
}

macro_rules! properties {
    ($($name:ident = $id:literal, $form:ident, [$($place:ident)*], $text:literal;)*) => {
        impl PropertyId {
            $(#[doc = $text] pub const $name: Self = Self($id);)*

            /// Its form, and the places where it may stand.
            fn rule(self) -> Option<(Form, u16)> {
                match self.0 {
                    $($id => Some((Form::$form, $(Place::$place as u16)|*)),)*
                    _ => None,
                }
            }
        }
    };
}

properties! {
    PAYLOAD_FORMAT = 0x01, Flag, [Publish Will], "Payload Format Indicator.";
    MESSAGE_EXPIRY = 0x02, Four, [Publish Will], "Message Expiry Interval in seconds.";
    CONTENT_TYPE = 0x03, Text, [Publish Will], "Content Type.";
    RESPONSE_TOPIC = 0x08, Topic, [Publish Will], "Response Topic.";
    CORRELATION_DATA = 0x09, Binary, [Publish Will], "Correlation Data.";
    SUBSCRIPTION = 0x0B, Variable, [Publish Subscribe], "Subscription Identifier.";
    SESSION_EXPIRY = 0x11, Four, [Connect ConnAck Disconnect], "Session Expiry Interval in seconds.";
    ASSIGNED_CLIENT = 0x12, Text, [ConnAck], "Assigned Client Identifier.";
    SERVER_KEEP_ALIVE = 0x13, Two, [ConnAck], "Server Keep Alive in seconds.";
    AUTHENTICATION_METHOD = 0x15, Text, [Connect ConnAck Auth], "Authentication Method.";
    AUTHENTICATION_DATA = 0x16, Binary, [Connect ConnAck Auth], "Authentication Data.";
    REQUEST_PROBLEM = 0x17, Flag, [Connect], "Request Problem Information.";
    WILL_DELAY = 0x18, Four, [Will], "Will Delay Interval in seconds.";
    REQUEST_RESPONSE = 0x19, Flag, [Connect], "Request Response Information.";
    RESPONSE_INFORMATION = 0x1A, Text, [ConnAck], "Response Information.";
    SERVER_REFERENCE = 0x1C, Text, [ConnAck Disconnect], "Server Reference.";
    REASON_STRING = 0x1F, Text, [ConnAck Acknowledgement SubAck Disconnect Auth], "Reason String.";
    RECEIVE_MAXIMUM = 0x21, TwoPositive, [Connect ConnAck], "Receive Maximum.";
    TOPIC_ALIAS_MAXIMUM = 0x22, Two, [Connect ConnAck], "Topic Alias Maximum.";
    TOPIC_ALIAS = 0x23, Two, [Publish], "Topic Alias.";
    MAXIMUM_QOS = 0x24, Flag, [ConnAck], "Maximum QoS.";
    RETAIN_AVAILABLE = 0x25, Flag, [ConnAck], "Retain Available.";
    USER = 0x26, Pair,
        [Connect Will ConnAck Publish Acknowledgement Subscribe SubAck Unsubscribe Disconnect Auth],
        "User Property.";
    MAXIMUM_PACKET_SIZE = 0x27, FourPositive, [Connect ConnAck], "Maximum Packet Size in bytes.";
    WILDCARDS_AVAILABLE = 0x28, Flag, [ConnAck], "Wildcard Subscription Available.";
    SUBSCRIPTIONS_AVAILABLE = 0x29, Flag, [ConnAck], "Subscription Identifier Available.";
    SHARED_AVAILABLE = 0x2A, Flag, [ConnAck], "Shared Subscription Available.";
}

impl PropertyId {
    /// Bytes of a value that is a number; `None` when that depends on the number.
    pub(super) fn number_length(self) -> Option<usize> {
        match self.rule()?.0 {
            Form::Flag => Some(1),
            Form::Two | Form::TwoPositive => Some(2),
            Form::Four | Form::FourPositive => Some(4),
            _ => None,
        }
    }
}

/// The properties of one packet, all of them right; none for 3.1.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    bytes: &'a [u8],
}

impl<'a> Properties<'a> {
    /// Reads the length and the properties.
    pub(super) fn read(reader: &mut Reader<'a>, place: Place) -> Result<Self, Refusal> {
        let length = reader.variable()?;
        let bytes = reader.take(length as usize)?;
        let mut rest = Reader::new(bytes);
        let mut seen = 0_u64;
        while !rest.is_empty() {
            let (id, _) = property(&mut rest, Some(place))?;
            let many = id == PropertyId::USER
                || (id == PropertyId::SUBSCRIPTION && place == Place::Publish);
            // A property that is known has a number below 64.
            let bit = 1 << id.0;
            if seen & bit != 0 && !many {
                return protocol_error("a property that stands twice");
            }
            seen |= bit;
        }
        Ok(Self { bytes })
    }

    /// Each of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (PropertyId, Value<'a>)> + use<'a> {
        let mut rest = Reader::new(self.bytes);
        // They were checked: none is refused here.
        std::iter::from_fn(move || {
            (!rest.is_empty())
                .then(|| property(&mut rest, None).ok())
                .flatten()
        })
    }

    /// The first value of a property that is a number.
    pub fn number(&self, wanted: PropertyId) -> Option<u32> {
        self.iter().find_map(|(id, value)| match value {
            Value::Number(number) if id == wanted => Some(number),
            _ => None,
        })
    }

    /// The first value of a property that is a text.
    pub fn text(&self, wanted: PropertyId) -> Option<&'a str> {
        self.iter().find_map(|(id, value)| match value {
            Value::Text(text) if id == wanted => Some(text),
            _ => None,
        })
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// One property. Its place was checked before when none is given.
fn property<'a>(
    reader: &mut Reader<'a>,
    place: Option<Place>,
) -> Result<(PropertyId, Value<'a>), Refusal> {
    let id = PropertyId(reader.byte()?);
    let Some((form, places)) = id.rule() else {
        return malformed("a property that does not exist");
    };
    if place.is_some_and(|place| places & place as u16 == 0) {
        return protocol_error("a property that this packet does not have");
    }
    let number = match form {
        Form::Text => return Ok((id, Value::Text(reader.text()?))),
        Form::Binary => return Ok((id, Value::Binary(reader.binary()?))),
        Form::Pair => return Ok((id, Value::Pair(reader.text()?, reader.text()?))),
        Form::Topic => {
            let text = reader.text()?;
            if !topic::is_name(text) {
                return protocol_error("a response topic with wildcards, or an empty one");
            }
            return Ok((id, Value::Text(text)));
        }
        Form::Flag => u32::from(reader.byte()?),
        Form::Two | Form::TwoPositive => u32::from(reader.two_bytes()?),
        Form::Four | Form::FourPositive => reader.four_bytes()?,
        Form::Variable => reader.variable()?,
    };
    let positive = matches!(
        form,
        Form::TwoPositive | Form::FourPositive | Form::Variable
    );
    if (positive && number == 0) || (form == Form::Flag && number > 1) {
        return protocol_error("a property with a value that is not allowed");
    }
    Ok((id, Value::Number(number)))
}
