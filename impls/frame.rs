//! Frames: bytes with their length and a checksum before them, so that what was cut off or changed on the way is noticed.
//!
//! ```text
//! length of the payload (4 bytes, little endian) | CRC-32 of length and payload (4 bytes) | payload
//! ```

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use thiserror::Error;

/// Bytes before the payload.
pub(crate) const HEAD: usize = 8;

/// The most bytes of a payload: an entry's data and what any codec adds to them.
pub(crate) const PAYLOAD_MAX: usize = ringside_contract::operations::codec::DATA_MAX + 256;

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FrameError {
    /// The length is more than any payload has.
    #[error("a frame of {length} bytes; no more than {PAYLOAD_MAX} are allowed")]
    TooLong {
        /// What it says.
        length: usize,
    },
    /// Some bytes are not those that were written.
    #[error("a frame of {length} bytes has another checksum than its bytes")]
    Changed {
        /// Bytes of its payload.
        length: usize,
    },
}

/// Appends a frame with what `write` appends.
#[inline]
pub(crate) fn write(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let begin = out.len();
    out.put_u64_le(0);
    write(out);
    // A payload is at most `PAYLOAD_MAX`.
    let length = ((out.len() - begin - HEAD) as u32).to_le_bytes();
    let checksum = checksum(length, &out[begin + HEAD..]).to_le_bytes();
    out[begin..begin + 4].copy_from_slice(&length);
    out[begin + 4..begin + HEAD].copy_from_slice(&checksum);
}

/// The payload of the frame that `bytes` begin with, which are moved behind it; `None` where they are not all there.
///
/// # Errors
/// [`FrameError`].
#[inline]
pub(crate) fn read(bytes: &mut Bytes) -> Result<Option<Bytes>, FrameError> {
    let Some(length) = whole(bytes)? else {
        return Ok(None);
    };
    let mut head = bytes.split_to(HEAD);
    let (written, expected) = (head.get_u32_le().to_le_bytes(), head.get_u32_le());
    let payload = bytes.split_to(length);
    if checksum(written, &payload) == expected {
        Ok(Some(payload))
    } else {
        Err(FrameError::Changed { length })
    }
}

/// Bytes of the payload of the frame that `bytes` begin with; `None` where it is not all there.
///
/// # Errors
/// [`FrameError::TooLong`].
pub(crate) fn whole(bytes: &[u8]) -> Result<Option<usize>, FrameError> {
    let Some((head, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_le_bytes(*head) as usize;
    if length > PAYLOAD_MAX {
        return Err(FrameError::TooLong { length });
    }
    Ok((rest.len() >= HEAD - 4 + length).then_some(length))
}

/// The length is in it too, so that a length that was changed is not taken for a shorter frame.
#[inline]
fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payload: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        write(&mut out, |out| out.put_slice(payload));
        out.to_vec()
    }

    #[test]
    fn what_was_written_is_read_and_what_follows_is_left() {
        let mut bytes = Bytes::from([framed(b"one"), framed(b""), b"rest".to_vec()].concat());
        assert_eq!(read(&mut bytes), Ok(Some(Bytes::from_static(b"one"))));
        assert_eq!(read(&mut bytes), Ok(Some(Bytes::new())));
        assert_eq!(&bytes[..], b"rest");
    }

    #[test]
    fn a_frame_that_is_cut_off_is_none() {
        let whole = framed(b"some bytes");
        for end in 0..whole.len() {
            let mut bytes = Bytes::copy_from_slice(&whole[..end]);
            assert_eq!(read(&mut bytes), Ok(None), "{end}");
            assert_eq!(bytes.len(), end, "nothing is taken");
        }
    }

    #[test]
    fn a_bit_that_was_changed_is_noticed() {
        let whole = framed(b"some bytes");
        for bit in 0..8 * whole.len() {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = read(&mut Bytes::from(bytes));
            assert!(!matches!(read, Ok(Some(_))), "{bit}: {read:?}");
        }
    }

    #[test]
    fn a_length_that_no_frame_has_is_refused_at_once() {
        let length = PAYLOAD_MAX + 1;
        let head = (length as u32).to_le_bytes();
        assert_eq!(
            read(&mut Bytes::copy_from_slice(&head)),
            Err(FrameError::TooLong { length })
        );
    }
}
