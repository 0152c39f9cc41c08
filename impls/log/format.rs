//! What a log file is made of, and what of it can be trusted when it was left in the middle of something.
//!
//! ```text
//! block of 4 KiB: frame of (MAGIC, number of the first entry) | frame of (number, data) | frame of (number, data) ...
//! ```
//!
//! Each entry has its number, one more than that of the entry before: bytes of an earlier use of the file, whose frames are
//! whole, are not taken for entries.

use std::io::{self, ErrorKind};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::frame;

/// Where entries begin. A block of a disk, which is written as a whole.
pub(super) const BODY: u64 = 4096;

const MAGIC: &[u8] = b"ringside log 1\n";

/// The block before the entries.
pub(super) fn head(first: u64) -> BytesMut {
    let mut block = BytesMut::with_capacity(BODY as usize);
    frame::write(&mut block, |out| {
        out.put_slice(MAGIC);
        out.put_u64_le(first);
    });
    block.resize(BODY as usize, 0);
    block
}

/// Appends an entry.
#[inline]
pub(super) fn entry(number: u64, data: &[u8], out: &mut BytesMut) {
    frame::write(out, |out| {
        out.put_u64_le(number);
        out.put_slice(data);
    });
}

/// The entries of a file with these bytes: all up to the first that is not whole, not as it was written, or not the next.
///
/// # Errors
/// It has no head, so that it never was a log.
pub(super) fn entries(bytes: Vec<u8>) -> io::Result<Vec<Vec<u8>>> {
    let mut rest = Bytes::from(bytes);
    let mut head = rest.split_to(rest.len().min(BODY as usize));
    let payload = frame::read(&mut head).ok().flatten();
    let first = payload.as_deref().and_then(first);
    let Some(mut next) = first else {
        let because = "it does not begin as a log of this kind does";
        return Err(io::Error::new(ErrorKind::InvalidData, because));
    };
    let mut entries = Vec::new();
    while let Ok(Some(mut payload)) = frame::read(&mut rest) {
        if payload.len() < 8 || payload.get_u64_le() != next {
            break;
        }
        entries.push(payload.to_vec());
        next += 1;
    }
    Ok(entries)
}

/// The number of the first entry.
fn first(payload: &[u8]) -> Option<u64> {
    let number = payload.strip_prefix(MAGIC)?.first_chunk()?;
    Some(u64::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(first: u64, entries: &[(u64, &[u8])]) -> Vec<u8> {
        let mut bytes = head(first);
        for (number, data) in entries {
            entry(*number, data, &mut bytes);
        }
        bytes.to_vec()
    }

    #[test]
    fn entries_are_those_that_follow_one_another() {
        let written = file(
            7,
            &[(7, b"a"), (8, b""), (10, b"of another use"), (9, b"late")],
        );
        assert_eq!(entries(written).unwrap(), [b"a".to_vec(), Vec::new()]);
        let zeros = [file(0, &[(0, b"a")]), vec![0; 100]].concat();
        assert_eq!(entries(zeros).unwrap(), [b"a".to_vec()]);
    }

    #[test]
    fn what_never_was_a_log_is_told_from_an_empty_one() {
        assert_eq!(entries(file(3, &[])).unwrap(), Vec::<Vec<u8>>::new());
        for bytes in [Vec::new(), vec![0; 8192], b"a text".to_vec()] {
            let error = entries(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
        }
    }
}
