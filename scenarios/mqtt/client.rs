//! What every client of a broker does: it introduces itself, and takes packets one by one.

use ringside_contract::{Completion, Operation, Outcome, ProtocolError};
use ringside_wire::mqtt::encode::{self, PACKET_MAX};
use ringside_wire::mqtt::header::{self, Kind};
use ringside_wire::mqtt::packet::{self, ConnAck, Packet, Wanted};
use ringside_wire::mqtt::property::{PropertyId, Value};
use ringside_wire::mqtt::reason::Reason;
use ringside_wire::mqtt::{QualityOfService, Version};

/// Seconds that a session is kept for a client that is away.
const KEPT_S: u32 = 3600;

/// One client's side of a connection.
#[derive(Debug)]
pub(crate) struct Client {
    name: String,
    version: Version,
    /// Bytes of this connection that were read.
    offset: u64,
}

impl Client {
    /// A client with a name that no other has.
    pub(crate) fn new(name: String, version: Version) -> Self {
        Self {
            name,
            version,
            offset: 0,
        }
    }

    /// The version that it speaks.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Begins a connection: with a new session, without a limit of silence.
    pub(crate) fn connect(&mut self, out: &mut Vec<u8>) {
        self.connect_with(None, true, out);
    }

    /// Begins a connection with a will, or with the session that the broker kept.
    pub(crate) fn connect_with(
        &mut self,
        will: Option<encode::Will<'_>>,
        clean_start: bool,
        out: &mut Vec<u8>,
    ) {
        self.offset = 0;
        let kept = [(PropertyId::SESSION_EXPIRY, Value::Number(KEPT_S))];
        let connect = encode::Connect {
            version: self.version,
            clean_start,
            // No client is that silent, and some brokers refuse 0, which is no limit.
            keep_alive: u16::MAX,
            client: &self.name,
            will,
            user_name: None,
            password: None,
            // 3.1.1 has no properties: without Clean Session the broker keeps it for ever.
            properties: if clean_start { &[] } else { &kept },
        };
        encode::connect(out, &connect);
    }

    /// Says goodbye.
    pub(crate) fn leave(&self, out: &mut Vec<u8>) {
        encode::farewell(out, self.version, Kind::Disconnect, Reason::SUCCESS, &[]);
    }

    /// Shows each whole packet of `input`; gives the bytes that were read.
    ///
    /// # Errors
    /// What is no packet, and what `take` refuses.
    pub(crate) fn packets(
        &mut self,
        input: &[u8],
        mut take: impl FnMut(&Packet<'_>) -> Result<(), String>,
    ) -> Result<usize, ProtocolError> {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            let read = header::parse(rest, PACKET_MAX).and_then(|header| {
                let Some(header) = header else {
                    return Ok(None);
                };
                let body = rest.get(header.length..header.packet_length());
                let packet = body.map(|body| packet::decode(self.version, header, body));
                Ok(packet
                    .transpose()?
                    .map(|packet| (packet, header.packet_length())))
            });
            let taken = match read {
                Ok(None) => return Ok(at),
                Ok(Some((packet, length))) => take(&packet).map(|()| length),
                Err(refusal) => Err(refusal.to_string()),
            };
            match taken {
                Ok(length) => {
                    at += length;
                    self.offset += length as u64;
                }
                Err(because) => {
                    let offset = self.offset;
                    return Err(ProtocolError { offset, because });
                }
            }
        }
    }
}

/// A plain subscription to `filter`.
pub(crate) fn wanted(filter: &str, quality: QualityOfService) -> Wanted<'_> {
    Wanted {
        filter,
        quality,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    }
}

/// The right end of an operation, on the connection that began it.
pub(crate) fn ended(operation: Operation) -> Completion {
    Completion {
        sequence: operation.sequence,
        intended: operation.intended,
        origin: None,
        outcome: Outcome::Ok,
    }
}

/// What a CONNACK that refuses says.
///
/// # Errors
/// The code.
pub(crate) fn accepted(answer: &ConnAck<'_>) -> Result<(), String> {
    match answer.code {
        0 => Ok(()),
        code => Err(format!(
            "the broker refused the connection with code {code}"
        )),
    }
}

/// A packet that has no place here, in words.
pub(crate) fn unexpected<T>(expected: &str, packet: &Packet<'_>) -> Result<T, String> {
    Err(format!("expected {expected}; the broker sent {packet:?}"))
}
