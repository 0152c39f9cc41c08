//! MQTT 3.1.1 and 5.0: packets read in place and written to a buffer, topics, reason codes.
//!
//! A packet is read in two steps. [`header::parse`] looks at the first bytes alone, so that a packet
//! that is too large or of no kind is refused before it is buffered; [`packet::decode`] borrows the rest.
//! What a packet allows is checked here once, and a broker need not look again. What depends on the
//! state of a connection (a second CONNECT, an alias that was never set) is the broker's business.

pub mod encode;
pub mod header;
pub mod packet;
pub mod property;
pub mod reason;
pub mod topic;

mod reader;

use thiserror::Error;

use reason::Reason;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1, whose protocol level is 4.
    V311,
    /// 5.0.
    V5,
}

/// How often a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QualityOfService {
    /// 0: at most once, without an acknowledgement.
    AtMostOnce,
    /// 1: at least once, acknowledged by PUBACK.
    AtLeastOnce,
    /// 2: exactly once, by PUBREC, PUBREL and PUBCOMP.
    ExactlyOnce,
}

impl QualityOfService {
    /// From its two bits; `None` for 3, which is no quality.
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// Why a packet is refused. Nothing behind it on the connection can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{because}")]
pub struct Refusal {
    /// What a server of 5.0 says in its DISCONNECT or CONNACK.
    pub reason: Reason,
    /// What was wrong.
    pub because: &'static str,
}

/// A packet that breaks the grammar (MQTT 5.0, 1.2).
fn malformed<T>(because: &'static str) -> Result<T, Refusal> {
    Err(Refusal {
        reason: Reason::MALFORMED_PACKET,
        because,
    })
}

/// A packet that could be read and that the protocol forbids.
fn protocol_error<T>(because: &'static str) -> Result<T, Refusal> {
    Err(Refusal {
        reason: Reason::PROTOCOL_ERROR,
        because,
    })
}

#[cfg(test)]
mod tests;
