//! A blocking connection to the server, with time-outs on every step.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use crate::case::{Failure, PATIENCE, Target, ensure};

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    /// Bytes that came and were not used.
    pub(crate) pending: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(target: &Target) -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("failed to connect: {error}"));
        let stream = TcpStream::connect_timeout(&target.address, PATIENCE).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        // Each write is a segment of its own: cases split messages on purpose.
        stream.set_nodelay(true).map_err(failed)?;
        Ok(Self {
            stream,
            pending: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let failed = |error| Failure::new(format!("failed to send: {error}"));
        self.stream.write_all(bytes).map_err(failed)
    }

    /// Sends what the server may refuse while it is still coming: errors are not the server's fault.
    pub(crate) fn send_unwanted(&mut self, bytes: &[u8]) {
        // The answer, or its absence, is what a case looks at.
        let _ = self.stream.write_all(bytes);
    }

    /// Sends each byte in a segment of its own.
    pub(crate) fn send_bytewise(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        bytes.chunks(1).try_for_each(|byte| self.send(byte))
    }

    /// Says that nothing more comes from this side.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let failed = |error| Failure::new(format!("failed to close the sending side: {error}"));
        self.stream.shutdown(Shutdown::Write).map_err(failed)
    }

    /// A second handle to the connection, for writing while this one reads.
    pub(crate) fn writer(&self) -> Result<TcpStream, Failure> {
        let failed = |error| Failure::new(format!("failed to share the connection: {error}"));
        self.stream.try_clone().map_err(failed)
    }

    /// Reads at most `limit` bytes more into `pending`; false at the end of the stream.
    pub(crate) fn more(&mut self, limit: usize) -> Result<bool, Failure> {
        let begin = self.pending.len();
        self.pending.resize(begin + limit, 0);
        let answer = loop {
            match self.stream.read(&mut self.pending[begin..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                answer => break answer,
            }
        };
        self.pending
            .truncate(begin + answer.as_ref().map_or(0, |&count| count));
        match answer {
            Ok(count) => Ok(count > 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Failure::new(format!(
                "nothing came for {} s",
                PATIENCE.as_secs()
            ))),
            Err(error) => Err(Failure::new(format!("failed to receive: {error}"))),
        }
    }

    /// Takes exactly `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        while self.pending.len() < count {
            let missing = (count - self.pending.len()).min(256 << 10);
            let got = self.pending.len();
            ensure(self.more(missing)?, || {
                format!("the connection ended after {got} of {count} expected bytes")
            })?;
        }
        let rest = self.pending.split_off(count);
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    /// Takes `count` bytes, or those that come before the end or a reset.
    pub(crate) fn take_up_to(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        while self.pending.len() < count {
            match self.more((count - self.pending.len()).min(256 << 10)) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) if failure.because.starts_with("nothing came") => return Err(failure),
                Err(_) => break,
            }
        }
        let rest = self.pending.split_off(count.min(self.pending.len()));
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    /// Waits for the end of the connection; anything that still comes is a failure. A reset is an end.
    pub(crate) fn expect_end(&mut self) -> Result<(), Failure> {
        let more = match self.more(4096) {
            Err(failure) if failure.because.starts_with("nothing came") => {
                return Err(Failure::new("the connection was not closed"));
            }
            Err(_) => false,
            Ok(more) => more,
        };
        ensure(!more && self.pending.is_empty(), || {
            let shown = String::from_utf8_lossy(&self.pending);
            let shown: String = shown.chars().take(200).collect();
            format!("expected the end of the connection, and {shown:?} came")
        })
    }
}

/// The byte at `offset` of every content that cases compare: no period that a shifted or repeated
/// block could hide in.
pub(crate) fn pattern(offset: usize) -> u8 {
    let mixed = (offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

/// `count` bytes of the pattern from `offset` on.
pub(crate) fn pattern_bytes(offset: usize, count: usize) -> Vec<u8> {
    (offset..offset + count).map(pattern).collect()
}

/// Fails at the first byte that differs.
pub(crate) fn ensure_equal(got: &[u8], expected: &[u8]) -> Result<(), Failure> {
    ensure(got.len() == expected.len(), || {
        format!("expected {} bytes, {} came", expected.len(), got.len())
    })?;
    let differs = got
        .iter()
        .zip(expected)
        .position(|(got, expected)| got != expected);
    differs.map_or(Ok(()), |at| {
        Err(Failure::new(format!("wrong content from byte {at} on")))
    })
}
