//! The fixed header: kind, flags and length of a packet (MQTT 5.0, 2.1).

use super::reason::Reason;
use super::{Refusal, malformed};

/// The kind of a packet, by its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// CONNECT.
    Connect = 1,
    /// CONNACK.
    ConnAck,
    /// PUBLISH.
    Publish,
    /// PUBACK.
    PubAck,
    /// PUBREC.
    PubRec,
    /// PUBREL.
    PubRel,
    /// PUBCOMP.
    PubComp,
    /// SUBSCRIBE.
    Subscribe,
    /// SUBACK.
    SubAck,
    /// UNSUBSCRIBE.
    Unsubscribe,
    /// UNSUBACK.
    UnsubAck,
    /// PINGREQ.
    PingReq,
    /// PINGRESP.
    PingResp,
    /// DISCONNECT.
    Disconnect,
    /// AUTH, of 5.0 alone.
    Auth,
}

const KINDS: [Kind; 15] = [
    Kind::Connect,
    Kind::ConnAck,
    Kind::Publish,
    Kind::PubAck,
    Kind::PubRec,
    Kind::PubRel,
    Kind::PubComp,
    Kind::Subscribe,
    Kind::SubAck,
    Kind::Unsubscribe,
    Kind::UnsubAck,
    Kind::PingReq,
    Kind::PingResp,
    Kind::Disconnect,
    Kind::Auth,
];

impl Kind {
    /// The flags that the standard fixes; `None` for PUBLISH, whose flags mean something.
    pub(super) fn flags(self) -> Option<u8> {
        match self {
            Self::Publish => None,
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => Some(0b0010),
            _ => Some(0),
        }
    }
}

/// A fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// The low four bits of the first byte.
    pub flags: u8,
    /// Bytes of the header itself, 2 to 5.
    pub length: usize,
    /// Bytes that follow it.
    pub remaining: usize,
}

impl Header {
    /// Bytes of the whole packet.
    pub fn packet_length(&self) -> usize {
        self.length + self.remaining
    }
}

/// Reads the header at the beginning of `input`; `None` when it is not complete. A packet of more than
/// `packet_max` bytes, its header included, is refused.
///
/// # Errors
/// [`Refusal`], as soon as the offending byte is there.
#[inline]
pub fn parse(input: &[u8], packet_max: usize) -> Result<Option<Header>, Refusal> {
    let Some(&first) = input.first() else {
        return Ok(None);
    };
    let flags = first & 0x0f;
    let kind = kind(first >> 4, flags)?;
    let (mut remaining, mut shift) = (0_usize, 0);
    for (index, &byte) in input[1..].iter().take(4).enumerate() {
        remaining |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            if byte == 0 && index > 0 {
                return malformed("a length in more bytes than it needs");
            }
            let header = Header {
                kind,
                flags,
                length: index + 2,
                remaining,
            };
            return within(header, packet_max).map(Some);
        }
        shift += 7;
    }
    if input.len() > 4 {
        return malformed("a length of more than four bytes");
    }
    Ok(None)
}

fn within(header: Header, packet_max: usize) -> Result<Header, Refusal> {
    if header.packet_length() > packet_max {
        return Err(Refusal {
            reason: Reason::PACKET_TOO_LARGE,
            because: "a packet larger than the maximum",
        });
    }
    Ok(header)
}

#[inline]
fn kind(number: u8, flags: u8) -> Result<Kind, Refusal> {
    let Some(&kind) = KINDS.get(usize::from(number).wrapping_sub(1)) else {
        return malformed("a packet of kind 0");
    };
    match kind.flags() {
        None if flags & 0b0110 == 0b0110 => malformed("a PUBLISH of QoS 3"),
        None if flags & 0b1110 == 0b1000 => malformed("a duplicate of QoS 0"),
        Some(fixed) if fixed != flags => malformed("reserved flags are set"),
        _ => Ok(kind),
    }
}
