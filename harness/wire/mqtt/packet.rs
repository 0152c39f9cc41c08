//! Packets, borrowed from the bytes that they were read from (MQTT 5.0, 3).

use super::header::{Header, Kind};
use super::property::{Place, Properties, PropertyId};
use super::reader::Reader;
use super::reason::Reason;
use super::{QualityOfService, Refusal, Version, malformed, protocol_error, topic};

/// A packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// The client introduces itself.
    Connect(Connect<'a>),
    /// The server's answer.
    ConnAck(ConnAck<'a>),
    /// A message.
    Publish(Publish<'a>),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Acknowledge(Acknowledge<'a>),
    /// The client wants messages.
    Subscribe(Subscribe<'a>),
    /// The server's answer: one code for each filter.
    SubAck(Granted<'a>),
    /// The client wants no more of them.
    Unsubscribe(Unsubscribe<'a>),
    /// The server's answer; without codes in 3.1.1.
    UnsubAck(Granted<'a>),
    /// Are you there?
    PingReq,
    /// Yes.
    PingResp,
    /// The end, in peace or for a reason.
    Disconnect(Farewell<'a>),
    /// A step of an authentication of 5.0.
    Auth(Farewell<'a>),
}

/// CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version that the client speaks from here on.
    pub version: Version,
    /// Clean Session of 3.1.1, Clean Start of 5.0.
    pub clean_start: bool,
    /// Seconds; 0 for none.
    pub keep_alive: u16,
    /// May be empty.
    pub client: &'a str,
    /// What is published when the client is lost.
    pub will: Option<Will<'a>>,
    /// User name.
    pub user_name: Option<&'a str>,
    /// Password.
    pub password: Option<&'a [u8]>,
    /// Properties.
    pub properties: Properties<'a>,
}

/// The will of a CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// Where it is published; a right name.
    pub topic: &'a str,
    /// What.
    pub payload: &'a [u8],
    /// How often it arrives.
    pub quality: QualityOfService,
    /// Whether it is kept.
    pub retain: bool,
    /// Properties.
    pub properties: Properties<'a>,
}

/// CONNACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnAck<'a> {
    /// The server had a session of this client.
    pub session_present: bool,
    /// A return code of 3.1.1 or a reason of 5.0; 0 is success in both.
    pub code: u8,
    /// Properties.
    pub properties: Properties<'a>,
}

/// PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// It may have been sent before.
    pub duplicate: bool,
    /// How often it arrives.
    pub quality: QualityOfService,
    /// It is to be kept; or, from a server, it was.
    pub retain: bool,
    /// A right name; empty when an alias stands for it.
    pub topic: &'a str,
    /// Packet identifier; 0 at QoS 0.
    pub identifier: u16,
    /// Properties.
    pub properties: Properties<'a>,
    /// The message.
    pub payload: &'a [u8],
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledge<'a> {
    /// Which of the four.
    pub kind: Kind,
    /// Packet identifier.
    pub identifier: u16,
    /// Success in 3.1.1.
    pub reason: Reason,
    /// Properties.
    pub properties: Properties<'a>,
}

/// SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Packet identifier.
    pub identifier: u16,
    /// Properties.
    pub properties: Properties<'a>,
    filters: Reader<'a>,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The filter as it came: whether it is one, [`topic::is_filter`] says.
    pub filter: &'a str,
    /// The highest quality that the client wants.
    pub quality: QualityOfService,
    /// Not what it published itself.
    pub no_local: bool,
    /// Retain flags are passed on as they came.
    pub retain_as_published: bool,
    /// Kept messages are sent: 0 always, 1 for a new subscription, 2 never.
    pub retain_handling: u8,
}

/// UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Packet identifier.
    pub identifier: u16,
    /// Properties.
    pub properties: Properties<'a>,
    filters: Reader<'a>,
}

/// SUBACK or UNSUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted<'a> {
    /// Packet identifier.
    pub identifier: u16,
    /// Properties.
    pub properties: Properties<'a>,
    /// One code for each filter.
    pub codes: &'a [u8],
}

/// DISCONNECT or AUTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell<'a> {
    /// Why; success in 3.1.1.
    pub reason: Reason,
    /// Properties.
    pub properties: Properties<'a>,
}

impl<'a> Subscribe<'a> {
    /// Its filters, at least one.
    pub fn filters(&self) -> impl Iterator<Item = Wanted<'a>> + use<'a> {
        let mut rest = self.filters;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| wanted(&mut rest).ok()).flatten())
    }
}

impl<'a> Unsubscribe<'a> {
    /// Its filters, at least one.
    pub fn filters(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.filters;
        std::iter::from_fn(move || (!rest.is_empty()).then(|| rest.text().ok()).flatten())
    }
}

/// Reads the packet of a header from the bytes behind it, all of which must be there. The version is
/// that of the connection; a CONNECT says its own.
///
/// # Errors
/// [`Refusal`].
#[inline]
pub fn decode<'a>(version: Version, header: Header, body: &'a [u8]) -> Result<Packet<'a>, Refusal> {
    let mut reader = Reader::new(body);
    if header.kind == Kind::Publish {
        return publish(version, header.flags, &mut reader).map(Packet::Publish);
    }
    let packet = other(version, header, &mut reader)?;
    if reader.is_empty() {
        Ok(packet)
    } else {
        malformed("a packet that is longer than what it holds")
    }
}

fn other<'a>(
    version: Version,
    header: Header,
    reader: &mut Reader<'a>,
) -> Result<Packet<'a>, Refusal> {
    match header.kind {
        Kind::Connect => connect(reader).map(Packet::Connect),
        Kind::ConnAck => conn_ack(version, reader).map(Packet::ConnAck),
        Kind::Publish => publish(version, header.flags, reader).map(Packet::Publish),
        Kind::PubAck | Kind::PubRec | Kind::PubRel | Kind::PubComp => {
            acknowledge(version, header.kind, reader).map(Packet::Acknowledge)
        }
        Kind::Subscribe => subscribe(version, reader).map(Packet::Subscribe),
        Kind::SubAck => granted(version, header.kind, reader).map(Packet::SubAck),
        Kind::Unsubscribe => unsubscribe(version, reader).map(Packet::Unsubscribe),
        Kind::UnsubAck => granted(version, header.kind, reader).map(Packet::UnsubAck),
        Kind::PingReq => Ok(Packet::PingReq),
        Kind::PingResp => Ok(Packet::PingResp),
        Kind::Disconnect => farewell(version, header.kind, reader).map(Packet::Disconnect),
        Kind::Auth if version == Version::V5 => {
            farewell(version, header.kind, reader).map(Packet::Auth)
        }
        Kind::Auth => malformed("an AUTH, which 3.1.1 does not have"),
    }
}

fn properties<'a>(
    version: Version,
    place: Place,
    reader: &mut Reader<'a>,
) -> Result<Properties<'a>, Refusal> {
    match version {
        Version::V311 => Ok(Properties::default()),
        Version::V5 => Properties::read(reader, place),
    }
}

fn connect<'a>(reader: &mut Reader<'a>) -> Result<Connect<'a>, Refusal> {
    let name = reader.text()?;
    let version = match (name, reader.byte()?) {
        ("MQTT", 4) => Version::V311,
        ("MQTT", 5) => Version::V5,
        _ => {
            return Err(Refusal {
                reason: Reason::UNSUPPORTED_VERSION,
                because: "a version that is neither 3.1.1 nor 5.0",
            });
        }
    };
    let flags = reader.byte()?;
    let is_set = |bit: u8| flags & 1 << bit != 0;
    if is_set(0) {
        return malformed("the reserved flag of a CONNECT is set");
    }
    if is_set(6) && !is_set(7) && version == Version::V311 {
        return malformed("a password without a user name");
    }
    let keep_alive = reader.two_bytes()?;
    let properties = properties(version, Place::Connect, reader)?;
    let client = reader.text()?;
    Ok(Connect {
        version,
        clean_start: is_set(1),
        keep_alive,
        client,
        will: will(version, flags, reader)?,
        user_name: is_set(7).then(|| reader.text()).transpose()?,
        password: is_set(6).then(|| reader.binary()).transpose()?,
        properties,
    })
}

fn will<'a>(
    version: Version,
    flags: u8,
    reader: &mut Reader<'a>,
) -> Result<Option<Will<'a>>, Refusal> {
    let (set, quality, retain) = (flags & 4 != 0, flags >> 3 & 3, flags & 1 << 5 != 0);
    let Some(quality) = QualityOfService::from_bits(quality) else {
        return malformed("a will of QoS 3");
    };
    if !set {
        if flags & 0b0011_1000 != 0 {
            return malformed("flags of a will that is not there");
        }
        return Ok(None);
    }
    let properties = properties(version, Place::Will, reader)?;
    let topic = name(reader)?;
    if topic.is_empty() {
        return protocol_error("an empty topic");
    }
    Ok(Some(Will {
        topic,
        payload: reader.binary()?,
        quality,
        retain,
        properties,
    }))
}

/// A topic without wildcards, or nothing.
#[inline]
fn name<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Refusal> {
    let name = reader.text()?;
    if !name.is_empty() && !topic::is_name(name) {
        return Err(Refusal {
            reason: Reason::TOPIC_NAME_INVALID,
            because: "a topic name with wildcards",
        });
    }
    Ok(name)
}

fn conn_ack<'a>(version: Version, reader: &mut Reader<'a>) -> Result<ConnAck<'a>, Refusal> {
    let flags = reader.byte()?;
    if flags > 1 {
        return malformed("reserved flags of a CONNACK are set");
    }
    let code = said(reader.byte()?, Kind::ConnAck, version)?.0;
    if flags == 1 && code != 0 {
        return malformed("a session with a refusal");
    }
    Ok(ConnAck {
        session_present: flags == 1,
        code,
        properties: properties(version, Place::ConnAck, reader)?,
    })
}

#[inline]
fn publish<'a>(
    version: Version,
    flags: u8,
    reader: &mut Reader<'a>,
) -> Result<Publish<'a>, Refusal> {
    let Some(quality) = QualityOfService::from_bits(flags >> 1 & 3) else {
        return malformed("a PUBLISH of QoS 3");
    };
    let topic = name(reader)?;
    let identifier = match quality {
        QualityOfService::AtMostOnce => 0,
        _ => reader.identifier()?,
    };
    let properties = properties(version, Place::Publish, reader)?;
    if topic.is_empty() && properties.number(PropertyId::TOPIC_ALIAS).is_none() {
        return protocol_error("an empty topic");
    }
    Ok(Publish {
        duplicate: flags & 8 != 0,
        quality,
        retain: flags & 1 != 0,
        topic,
        identifier,
        properties,
        payload: reader.rest(),
    })
}

fn acknowledge<'a>(
    version: Version,
    kind: Kind,
    reader: &mut Reader<'a>,
) -> Result<Acknowledge<'a>, Refusal> {
    let identifier = reader.identifier()?;
    let Farewell { reason, properties } = farewell(version, kind, reader)?;
    Ok(Acknowledge {
        kind,
        identifier,
        reason,
        properties,
    })
}

/// A reason and properties, either of which 5.0 lets out when nothing follows.
fn farewell<'a>(
    version: Version,
    kind: Kind,
    reader: &mut Reader<'a>,
) -> Result<Farewell<'a>, Refusal> {
    let short = |reason| Farewell {
        reason,
        properties: Properties::default(),
    };
    if version == Version::V311 || reader.is_empty() {
        return Ok(short(Reason::SUCCESS));
    }
    let reason = said(reader.byte()?, kind, version)?;
    if reader.is_empty() {
        return Ok(short(reason));
    }
    let place = match kind {
        Kind::Disconnect => Place::Disconnect,
        Kind::Auth => Place::Auth,
        _ => Place::Acknowledgement,
    };
    let properties = Properties::read(reader, place)?;
    Ok(Farewell { reason, properties })
}

/// A code that a packet of this kind may say.
fn said(code: u8, kind: Kind, version: Version) -> Result<Reason, Refusal> {
    let reason = Reason(code);
    if reason.is_said_by(kind, version) {
        Ok(reason)
    } else {
        malformed("a reason that this packet does not say")
    }
}

fn subscribe<'a>(version: Version, reader: &mut Reader<'a>) -> Result<Subscribe<'a>, Refusal> {
    let identifier = reader.identifier()?;
    let properties = properties(version, Place::Subscribe, reader)?;
    let filters = *reader;
    if reader.is_empty() {
        return protocol_error("a SUBSCRIBE without a filter");
    }
    while !reader.is_empty() {
        let wanted = wanted(reader)?;
        let options = wanted.no_local || wanted.retain_as_published || wanted.retain_handling > 0;
        if version == Version::V311 && options {
            return malformed("reserved bits of a QoS are set");
        }
        if wanted.no_local && wanted.filter.starts_with("$share/") {
            return protocol_error("no-local on a shared subscription");
        }
    }
    Ok(Subscribe {
        identifier,
        properties,
        filters,
    })
}

fn wanted<'a>(reader: &mut Reader<'a>) -> Result<Wanted<'a>, Refusal> {
    let filter = reader.text()?;
    let options = reader.byte()?;
    let Some(quality) = QualityOfService::from_bits(options & 3) else {
        return malformed("a subscription of QoS 3");
    };
    if options & 0b1100_0000 != 0 {
        return malformed("reserved bits of a subscription are set");
    }
    let retain_handling = options >> 4 & 3;
    if retain_handling == 3 {
        return protocol_error("a retain handling of 3");
    }
    Ok(Wanted {
        filter,
        quality,
        no_local: options & 4 != 0,
        retain_as_published: options & 8 != 0,
        retain_handling,
    })
}

fn unsubscribe<'a>(version: Version, reader: &mut Reader<'a>) -> Result<Unsubscribe<'a>, Refusal> {
    let identifier = reader.identifier()?;
    let properties = properties(version, Place::Unsubscribe, reader)?;
    let filters = *reader;
    if reader.is_empty() {
        return protocol_error("an UNSUBSCRIBE without a filter");
    }
    while !reader.is_empty() {
        reader.text()?;
    }
    Ok(Unsubscribe {
        identifier,
        properties,
        filters,
    })
}

fn granted<'a>(
    version: Version,
    kind: Kind,
    reader: &mut Reader<'a>,
) -> Result<Granted<'a>, Refusal> {
    let identifier = reader.identifier()?;
    let properties = properties(version, Place::SubAck, reader)?;
    let codes = if version == Version::V5 || kind == Kind::SubAck {
        if reader.is_empty() {
            return protocol_error("an answer without a code");
        }
        reader.take(reader.rest().len())?
    } else {
        &[]
    };
    for &code in codes {
        said(code, kind, version)?;
    }
    Ok(Granted {
        identifier,
        properties,
        codes,
    })
}
