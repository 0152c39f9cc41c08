//! Frames of the journal: all entries of one turn, which hold together or not at all.
//!
//! A frame is its length, the checksum of its entries, the checksum of both, and the entries. A broker that is
//! killed while it writes leaves the beginning of a frame at the end of the file; nothing of it was
//! acknowledged, and it is as if it had not been. A length that was changed later is damage, and does not pass
//! for such an end.

use std::io::{self, Read};

use super::entry::Entry;

/// What a journal begins with: its name and the version of its form.
pub(super) const MAGIC: &[u8] = b"ringside mqtt journal 1\n";

/// Length and both checksums, little-endian, 4 bytes each.
const HEADER: usize = 12;

/// A frame that is being written.
#[derive(Debug)]
pub(super) struct Frame {
    bytes: Vec<u8>,
}

impl Default for Frame {
    fn default() -> Self {
        Self {
            bytes: vec![0; HEADER],
        }
    }
}

impl Frame {
    /// Bytes of entries.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - HEADER
    }

    /// Appends an entry.
    pub(super) fn push(&mut self, entry: &Entry<'_>) {
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(entry, bytes).expect("memory takes all bytes");
    }

    /// The whole frame, to be written.
    pub(super) fn seal(&mut self) -> &[u8] {
        // Far below 4 GiB: a frame holds what one read of one connection changed.
        let length = (self.len() as u32).to_le_bytes();
        let checksum = crc32fast::hash(&self.bytes[HEADER..]).to_le_bytes();
        self.bytes[..4].copy_from_slice(&length);
        self.bytes[4..8].copy_from_slice(&checksum);
        let checksum = crc32fast::hash(&self.bytes[..8]).to_le_bytes();
        self.bytes[8..HEADER].copy_from_slice(&checksum);
        &self.bytes
    }

    /// Begins the next frame. The memory of a usual one stays.
    pub(super) fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.bytes.shrink_to(64 << 10);
    }
}

/// What a file held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Bytes of whole frames, with what the file begins with.
    pub(super) whole: u64,
    /// Bytes behind them, of a frame that was not written to its end.
    pub(super) torn: u64,
}

/// Shows every entry of a journal of `length` bytes. An empty file has none.
///
/// # Errors
/// The system's answer, or [`io::ErrorKind::InvalidData`] for what no broker wrote so.
pub(super) fn read_all(
    file: &mut impl Read,
    length: u64,
    mut show: impl FnMut(&Entry<'_>) -> Result<(), &'static str>,
) -> io::Result<Extent> {
    let mut magic = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if magic != MAGIC {
        // Nothing, or not all of it yet.
        if MAGIC.starts_with(&magic) {
            let torn = magic.len() as u64;
            return Ok(Extent { whole: 0, torn });
        }
        return Err(damaged(0, "it is no journal of this version"));
    }
    let mut at = MAGIC.len() as u64;
    let mut body = Vec::new();
    while let Some(checksum) = read_frame(file, at, length - at, &mut body)? {
        if crc32fast::hash(&body) != checksum {
            return Err(damaged(at, "the checksum is another"));
        }
        let mut rest = &body[..];
        while !rest.is_empty() {
            let (entry, behind) = postcard::take_from_bytes(rest)
                .map_err(|_| damaged(at, "an entry cannot be read"))?;
            show(&entry).map_err(|because| damaged(at, because))?;
            rest = behind;
        }
        at += (HEADER + body.len()) as u64;
    }
    Ok(Extent {
        whole: at,
        torn: length - at,
    })
}

/// Reads the frame at `at` into `body`, and gives its checksum; `None` when fewer bytes are left than it has.
fn read_frame(
    file: &mut impl Read,
    at: u64,
    left: u64,
    body: &mut Vec<u8>,
) -> io::Result<Option<u32>> {
    let mut header = [0; HEADER];
    if left < HEADER as u64 {
        return Ok(None);
    }
    file.read_exact(&mut header)?;
    let number = |at: usize| {
        let bytes = header[at..at + 4].try_into();
        u32::from_le_bytes(bytes.expect("they are four"))
    };
    if crc32fast::hash(&header[..8]) != number(8) {
        return Err(damaged(at, "the checksum of a length is another"));
    }
    let length = u64::from(number(0));
    if left - (HEADER as u64) < length {
        return Ok(None);
    }
    body.clear();
    file.take(length).read_to_end(body)?;
    Ok(Some(number(4)))
}

fn damaged(at: u64, because: &str) -> io::Error {
    let message = format!("it is damaged at byte {at} ({because}); move it away to begin anew");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A journal of two frames with three entries.
    fn journal() -> (Vec<u8>, [u64; 2]) {
        let mut bytes = MAGIC.to_vec();
        let mut frame = Frame::default();
        frame.push(&Entry::Message {
            message: 1,
            expires: Some(7),
            publish: b"0123",
        });
        frame.push(&Entry::Retained { message: 1 });
        bytes.extend_from_slice(frame.seal());
        let first = bytes.len() as u64;
        frame.clear();
        frame.push(&Entry::Cleared { topic: "a/b" });
        bytes.extend_from_slice(frame.seal());
        let second = bytes.len() as u64;
        (bytes, [first, second])
    }

    fn read(bytes: &[u8]) -> io::Result<(Extent, Vec<String>)> {
        let mut entries = Vec::new();
        let length = bytes.len() as u64;
        let extent = read_all(&mut &bytes[..], length, |entry| {
            entries.push(format!("{entry:?}"));
            Ok(())
        })?;
        Ok((extent, entries))
    }

    #[test]
    fn what_was_written_is_read() {
        let (bytes, [_, whole]) = journal();
        let (extent, entries) = read(&bytes).unwrap();
        assert_eq!(extent, Extent { whole, torn: 0 });
        assert_eq!(
            entries,
            [
                "Message { message: 1, expires: Some(7), publish: [48, 49, 50, 51] }",
                "Retained { message: 1 }",
                "Cleared { topic: \"a/b\" }",
            ]
        );
    }

    #[test]
    fn a_frame_that_was_cut_anywhere_is_not_there_and_those_before_it_are() {
        let (bytes, [first, second]) = journal();
        for length in 0..bytes.len() {
            let (extent, entries) = read(&bytes[..length]).unwrap();
            let whole = match length as u64 {
                length if length >= second => second,
                length if length >= first => first,
                length if length >= MAGIC.len() as u64 => MAGIC.len() as u64,
                _ => 0,
            };
            let torn = length as u64 - whole;
            assert_eq!(extent, Extent { whole, torn }, "{length}");
            assert_eq!(entries.len(), if whole >= first { 2 } else { 0 });
        }
    }

    #[test]
    fn a_byte_that_changed_is_damage() {
        let (bytes, _) = journal();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let error = read(&changed).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().contains("move it away"), "{error}");
        }
    }
}
