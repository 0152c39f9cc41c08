//! The payload of a message: who sent it, its number, its intended time and a checksum over them, then a
//! fixed filling. A subscriber can tell from it alone whether it is right, and which operation it ends.

use std::sync::Arc;

use ringside_contract::{Operation, ParamError, Params};

use crate::bytes;

/// Sender, number, intended time and checksum, eight bytes each.
pub(crate) const HEADER: usize = 32;

/// Fillings up to this size are compared in full, of longer ones both ends.
const FULL_MAX: usize = 4096;

/// Bytes compared at each end of a long filling.
const SAMPLE: usize = 64;

/// The size of a payload.
///
/// # Errors
/// A size that has no room for the header, or is more than a broker must take.
pub(crate) fn payload_size(params: &Params) -> Result<usize, ParamError> {
    let size = params.size("size");
    match usize::try_from(size) {
        Ok(size) if (HEADER..=256 << 10).contains(&size) => Ok(size),
        _ => Err(ParamError::Conflict {
            because: format!(
                "size={size}B: a payload holds a sender, a number, a time and a checksum, so it takes from \
                 {HEADER}B to 256KiB"
            ),
        }),
    }
}

/// Payloads of one size.
#[derive(Debug, Clone)]
pub(crate) struct Payloads {
    seed: u64,
    filling: Arc<[u8]>,
}

/// What a payload says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) sender: u32,
    pub(crate) operation: Operation,
    /// Header and filling are as they were written.
    pub(crate) intact: bool,
}

impl Payloads {
    /// Payloads of `size` bytes, at least [`HEADER`].
    pub(crate) fn new(seed: u64, size: usize) -> Self {
        Self {
            seed,
            filling: bytes::shared(seed, size - HEADER),
        }
    }

    /// Writes one over what `payload` held.
    pub(crate) fn write(&self, sender: u32, operation: &Operation, payload: &mut Vec<u8>) {
        payload.clear();
        payload.extend_from_slice(&self.header(sender, operation));
        payload.extend_from_slice(&self.filling);
    }

    /// Reads one; `None` when it is too short to say anything.
    pub(crate) fn read(&self, payload: &[u8]) -> Option<Label> {
        let (header, filling) = payload.split_at_checked(HEADER)?;
        let word = |index: usize| {
            let word = header[8 * index..8 * index + 8].try_into();
            u64::from_le_bytes(word.expect("it has eight bytes"))
        };
        let operation = Operation {
            sequence: word(1),
            intended: word(2),
        };
        let sender = u32::try_from(word(0)).ok()?;
        let intact = header == self.header(sender, &operation) && self.is_filling(filling);
        Some(Label {
            sender,
            operation,
            intact,
        })
    }

    fn is_filling(&self, filling: &[u8]) -> bool {
        let expected = &*self.filling;
        if expected.len() <= FULL_MAX || filling.len() != expected.len() {
            return filling == expected;
        }
        let end = expected.len() - SAMPLE;
        filling[..SAMPLE] == expected[..SAMPLE] && filling[end..] == expected[end..]
    }

    fn header(&self, sender: u32, operation: &Operation) -> [u8; HEADER] {
        let key = bytes::mix(self.seed ^ (u64::from(sender) << 32));
        let checksum = bytes::mix(key ^ operation.sequence)
            .wrapping_add(bytes::mix(key.wrapping_add(operation.intended)));
        let mut header = [0; HEADER];
        let words = [
            sender.into(),
            operation.sequence,
            operation.intended,
            checksum,
        ];
        for (place, word) in header.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_says_whose_it_is_and_whether_it_is_whole() {
        let operation = Operation {
            sequence: 7,
            intended: 1 << 40,
        };
        for size in [HEADER, 64, 16 << 10] {
            let payloads = Payloads::new(1, size);
            let mut payload = vec![9; 3];
            payloads.write(5, &operation, &mut payload);
            assert_eq!(payload.len(), size);
            let label = payloads.read(&payload).unwrap();
            assert_eq!(
                (label.sender, label.operation, label.intact),
                (5, operation, true)
            );
            for at in [0, 8, 16, 24, size - 1] {
                let mut wrong = payload.clone();
                wrong[at] ^= 1;
                assert!(!payloads.read(&wrong).unwrap().intact, "{at} of {size}");
            }
            assert!(
                !payloads
                    .read(&payload[..size - 1])
                    .is_some_and(|label| label.intact)
            );
        }
    }
}
