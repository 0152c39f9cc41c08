//! What the journal says: one entry for each change of what outlives the broker.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};

/// A change. Messages, sessions and connections go by numbers, so that a message that many wait for is
/// written once. Times are milliseconds since 1970.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Entry<'a> {
    /// A message that entries behind it name.
    Message {
        message: u64,
        expires: Option<u64>,
        /// A PUBLISH of 5.0, which holds all that there is to a message.
        #[serde(borrow, serialize_with = "as_bytes")]
        publish: &'a [u8],
    },
    /// The message is its topic's last.
    Retained { message: u64 },
    /// The topic has none.
    Cleared { topic: &'a str },
    /// What is published when the client of a connection is lost.
    Will {
        connection: u64,
        client: &'a str,
        message: u64,
        retain: bool,
        delay_s: u32,
    },
    /// It was published, or is void.
    WillOver { connection: u64 },
    /// Something about a session.
    Session(u64, #[serde(borrow)] Change<'a>),
}

/// A change of one session.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change<'a> {
    /// It is there, and has a connection.
    Known { client: &'a str, expiry_s: u32 },
    /// It has none, and ends at that time.
    Away { until: u64 },
    /// It is over.
    Ended,
    /// `options` is the byte of a SUBSCRIBE (MQTT 5.0, 3.8.3.1).
    Subscribed {
        filter: &'a str,
        options: u8,
        identifier: u32,
    },
    /// No more.
    Unsubscribed { filter: &'a str },
    /// A message is the last of those that wait for the client.
    Queued {
        message: u64,
        quality: u8,
        retain: bool,
        subscriptions: Cow<'a, [u32]>,
    },
    /// The first of those that wait was sent, as the session's message of that number.
    Sent { number: u64 },
    /// The first of those that wait is not sent: its time is over, or it is too large.
    Skipped,
    /// The client has it (PUBREC), and is to forget its identifier.
    Released { number: u64 },
    /// It is done with.
    Done { number: u64 },
    /// A message of QoS 2 came from the client.
    Received { identifier: u16 },
    /// The client will not send it again.
    Forgotten { identifier: u16 },
}

/// As one piece, and not as a sequence of numbers.
fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}
