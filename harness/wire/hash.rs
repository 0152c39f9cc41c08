//! Blocks of keys to hash: what a worker of the hash family is told, and what it answers.
//!
//! A block is a number of keys of one length out of a [`Table`] that both sides can make. The worker hashes
//! them one after another and answers the folded hashes, so that a request is processor work and hardly any
//! bytes. Numbers are little-endian.
//!
//! ```text
//! block   "hblk"  length u32  keys u32  zero u32  seed u64  tag u64
//! answer  "hsum"  status u32  tag u64   sum u64
//! ```

use std::array;

/// Bytes of a block on the wire.
pub const BLOCK_BYTES: usize = 32;
/// Bytes of an answer on the wire.
pub const ANSWER_BYTES: usize = 24;
/// The longest key, in bytes.
pub const LENGTH_MAX: u32 = 4096;
/// The most keys of a block.
pub const KEYS_MAX: u32 = 1_000_000;
/// The most bytes of all keys of a block: a few milliseconds of the slowest hash, so that a worker can be
/// stopped.
pub const BLOCK_WORK_MAX: u64 = 4 << 20;

/// What a worker is told to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Bytes of a key.
    pub length: u32,
    /// How many keys.
    pub keys: u32,
    /// The place of the first key: key `i` of a block is the first key of the block whose seed is larger
    /// by `i`.
    pub seed: u64,
    /// Comes back with the answer.
    pub tag: u64,
}

/// What a worker answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The block was hashed.
    Sum {
        /// The block's.
        tag: u64,
        /// The folded hashes.
        sum: u64,
    },
    /// It was none; nothing more is read from the connection.
    Refused {
        /// The block's.
        tag: u64,
    },
}

impl Block {
    /// Whether its numbers are within the bounds.
    pub fn is_sound(&self) -> bool {
        let bounds = (1..=LENGTH_MAX).contains(&self.length) && (1..=KEYS_MAX).contains(&self.keys);
        bounds && u64::from(self.length) * u64::from(self.keys) <= BLOCK_WORK_MAX
    }

    /// Reads a block.
    ///
    /// # Errors
    /// It is none or out of bounds. Gives the answer to it.
    pub fn read(bytes: &[u8; BLOCK_BYTES]) -> Result<Self, Answer> {
        let block = Self {
            length: u32::from_le_bytes(part(bytes, 4)),
            keys: u32::from_le_bytes(part(bytes, 8)),
            seed: u64::from_le_bytes(part(bytes, 16)),
            tag: u64::from_le_bytes(part(bytes, 24)),
        };
        if bytes.starts_with(BLOCK) && part(bytes, 12) == [0; 4] && block.is_sound() {
            Ok(block)
        } else {
            Err(Answer::Refused { tag: block.tag })
        }
    }

    /// Appends it to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(BLOCK);
        for number in [self.length, self.keys, 0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.seed, self.tag] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
}

impl Answer {
    /// Reads an answer; `None` when it is none.
    pub fn read(bytes: &[u8; ANSWER_BYTES]) -> Option<Self> {
        let tag = u64::from_le_bytes(part(bytes, 8));
        let sum = u64::from_le_bytes(part(bytes, 16));
        let status = u32::from_le_bytes(part(bytes, 4));
        match status {
            _ if !bytes.starts_with(ANSWER) => None,
            HASHED => Some(Self::Sum { tag, sum }),
            REFUSED if sum == 0 => Some(Self::Refused { tag }),
            _ => None,
        }
    }

    /// Appends it to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (status, tag, sum) = match *self {
            Self::Sum { tag, sum } => (HASHED, tag, sum),
            Self::Refused { tag } => (REFUSED, tag, 0),
        };
        out.extend_from_slice(ANSWER);
        out.extend_from_slice(&status.to_le_bytes());
        out.extend_from_slice(&tag.to_le_bytes());
        out.extend_from_slice(&sum.to_le_bytes());
    }
}

/// Folds a further hash into a sum. A hash in another place gives another sum, and no hash waits for the
/// one before, so that a worker may overlap them as it would with keys of a map.
#[inline]
pub fn fold(sum: u64, hash: u64) -> u64 {
    sum.rotate_left(5) ^ hash
}

/// The bytes that keys are parts of: made once, the same everywhere.
#[derive(Debug)]
pub struct Table {
    bytes: Box<[u8]>,
}

impl Default for Table {
    fn default() -> Self {
        let words = (0..(TABLE_BYTES / 8) as u64).flat_map(|word| mix(word).to_le_bytes());
        Self {
            bytes: words.collect(),
        }
    }
}

impl Table {
    /// The key of `length` bytes at this place.
    ///
    /// # Panics
    /// With a length over [`LENGTH_MAX`].
    #[inline]
    pub fn key(&self, place: u64, length: usize) -> &[u8] {
        // Words that follow one another would be read ahead; a map's keys are not. Where a key begins is
        // a multiple of 8, as an allocator has it.
        let word = place.wrapping_mul(STRIDE) >> (64 - STARTS_BITS);
        let begin = word as usize * 8;
        &self.bytes[begin..begin + length]
    }
}

fn part<const N: usize>(bytes: &[u8], begin: usize) -> [u8; N] {
    array::from_fn(|index| bytes[begin + index])
}

/// The finishing step of splitmix64.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(1).wrapping_mul(STRIDE);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

const BLOCK: &[u8; 4] = b"hblk";
const ANSWER: &[u8; 4] = b"hsum";
const HASHED: u32 = 0;
const REFUSED: u32 = 1;
/// Keys begin at this power of two of places: 64 KiB, which the second cache of any core holds.
const STARTS_BITS: u32 = 13;
/// Every start has room for the longest key behind it.
const TABLE_BYTES: usize = (8 << STARTS_BITS) + LENGTH_MAX as usize;
/// Odd: places that follow one another are far apart.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Block = Block {
        length: 64,
        keys: 2000,
        seed: 0x0102_0304_0506_0708,
        tag: 9,
    };

    fn written(block: &Block) -> [u8; BLOCK_BYTES] {
        let mut out = Vec::new();
        block.write(&mut out);
        out.try_into().unwrap()
    }

    #[test]
    fn a_block_is_these_bytes_and_read_again() {
        let bytes = written(&SOUND);
        assert_eq!(
            bytes,
            *b"hblk\x40\0\0\0\xd0\x07\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x09\0\0\0\0\0\0\0"
        );
        assert_eq!(Block::read(&bytes), Ok(SOUND));
    }

    #[test]
    fn blocks_out_of_bounds_are_refused_with_their_tag() {
        let check = |length, keys, sound| {
            let block = Block {
                length,
                keys,
                ..SOUND
            };
            let expected = if sound {
                Ok(block)
            } else {
                Err(Answer::Refused { tag: 9 })
            };
            assert_eq!(Block::read(&written(&block)), expected, "{length} {keys}");
        };
        for (length, keys, sound) in [
            (1, 1, true),
            (0, 1, false),
            (1, 0, false),
            (LENGTH_MAX, 1024, true),
            (LENGTH_MAX, 1025, false),
            (LENGTH_MAX + 1, 1, false),
            (4, KEYS_MAX, true),
            (1, KEYS_MAX + 1, false),
            (u32::MAX, u32::MAX, false),
        ] {
            check(length, keys, sound);
        }
        for at in [0, 3, 12, 15] {
            let mut bytes = written(&SOUND);
            bytes[at] ^= 1;
            assert_eq!(Block::read(&bytes), Err(Answer::Refused { tag: 9 }), "{at}");
        }
    }

    #[test]
    fn answers_are_read_again_and_what_is_none_is_not() {
        for answer in [
            Answer::Sum { tag: 5, sum: 77 },
            Answer::Refused { tag: u64::MAX },
        ] {
            let mut out = Vec::new();
            answer.write(&mut out);
            let mut bytes: [u8; ANSWER_BYTES] = out.try_into().unwrap();
            assert_eq!(Answer::read(&bytes), Some(answer));
            bytes[1] ^= 1;
            assert_eq!(Answer::read(&bytes), None);
            bytes[1] ^= 1;
            bytes[5] = 1;
            assert_eq!(Answer::read(&bytes), None);
        }
    }

    #[test]
    fn every_place_has_a_key_of_any_length() {
        let table = Table::default();
        let mut starts: Vec<*const u8> = Vec::new();
        for place in (0..20_000).chain([u64::MAX, 1 << 63]) {
            for length in [1, 64, LENGTH_MAX as usize] {
                assert_eq!(table.key(place, length).len(), length);
            }
            starts.push(table.key(place, 1).as_ptr());
        }
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts.len(), 1 << STARTS_BITS, "all of it is in use");
    }

    #[test]
    fn a_sum_depends_on_the_order() {
        assert_ne!(fold(fold(0, 1), 2), fold(fold(0, 2), 1));
    }
}
