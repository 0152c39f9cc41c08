//! Bytes that follow from a key and an offset, so that any part of any content can be checked without
//! keeping it. Eight bytes at a time: several gigabytes a second.

use std::sync::{Arc, Mutex, PoisonError};

/// The key of a name: FNV-1a, spread over all bits.
pub(crate) fn key_of(name: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
    mix(name.bytes().fold(0xCBF2_9CE4_8422_2325, fold))
}

/// Fills `buffer` with the bytes of `key` from `offset` on.
pub(crate) fn fill(key: u64, offset: u64, buffer: &mut [u8]) {
    let skip = (offset % 8) as usize;
    let mut word = offset / 8;
    let head = (8 - skip) % 8;
    let (first, rest) = buffer.split_at_mut(head.min(buffer.len()));
    if !first.is_empty() {
        let length = first.len();
        first.copy_from_slice(&word_at(key, word)[skip..skip + length]);
        word += 1;
    }
    let mut words = rest.chunks_exact_mut(8);
    for chunk in &mut words {
        chunk.copy_from_slice(&word_at(key, word));
        word += 1;
    }
    let last = words.into_remainder();
    let length = last.len();
    last.copy_from_slice(&word_at(key, word)[..length]);
}

/// True when `input` is what `key` has from `offset` on.
pub(crate) fn matches(key: u64, offset: u64, input: &[u8]) -> bool {
    // 4 KiB stay in the innermost cache while they are made and compared.
    let mut expected = [0_u8; 4096];
    let mut offset = offset;
    for chunk in input.chunks(expected.len()) {
        let expected = &mut expected[..chunk.len()];
        fill(key, offset, expected);
        if expected != chunk {
            return false;
        }
        offset += chunk.len() as u64;
    }
    true
}

/// The first `length` bytes of `key` in memory. Sessions ask one after another for the same content,
/// so the last one made is kept.
pub(crate) fn shared(key: u64, length: usize) -> Arc<[u8]> {
    static LAST: Mutex<Option<(u64, Arc<[u8]>)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((kept, bytes)) = last.as_ref()
        && *kept == key
        && bytes.len() == length
    {
        return Arc::clone(bytes);
    }
    let mut bytes = vec![0; length];
    fill(key, 0, &mut bytes);
    let bytes: Arc<[u8]> = bytes.into();
    *last = Some((key, Arc::clone(&bytes)));
    bytes
}

/// The finishing step of splitmix64: each bit of the input changes about half of the output's.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

fn word_at(key: u64, word: u64) -> [u8; 8] {
    mix(key.wrapping_add(word.wrapping_mul(0x9E37_79B9_7F4A_7C15))).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_part_is_the_same_as_in_the_whole(key: u64, offset in 0_usize..300, length in 0_usize..300) {
            let mut whole = vec![0; 600];
            fill(key, 0, &mut whole);
            let mut part = vec![0; length];
            fill(key, offset as u64, &mut part);
            prop_assert_eq!(&part, &whole[offset..offset + length]);
            prop_assert!(matches(key, offset as u64, &part));
        }

        #[test]
        fn one_wrong_bit_is_found(key: u64, offset in 0_u64..1 << 40, at in 0_usize..9000, bit in 0_u8..8) {
            let mut bytes = vec![0; 9000];
            fill(key, offset, &mut bytes);
            bytes[at] ^= 1 << bit;
            prop_assert!(!matches(key, offset, &bytes));
        }
    }

    #[test]
    fn names_have_different_bytes() {
        let one = shared(key_of("1024.bin"), 64);
        let other = shared(key_of("10240.bin"), 64);
        assert_ne!(one, other);
        assert_eq!(one, shared(key_of("1024.bin"), 64));
    }
}
