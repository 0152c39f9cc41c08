//! SipHash, as the standard library has it.

use std::hash::{DefaultHasher, Hasher};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;

use super::work::NamedHash;

/// `hash/siphash`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SipHash;

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/siphash",
    about: "The standard library's hasher of maps with fixed keys: SipHash-1-3.",
    axes: &[],
    ranked: true,
};

impl NamedHash for SipHash {
    const META: &'static ImplementationMeta = &META;

    fn find() -> Option<Self> {
        Some(Self)
    }
}

impl HashFunction for SipHash {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        // Its keys are zero, so that sums are the same in each run.
        let mut hasher = DefaultHasher::new();
        hasher.write(key);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SipHash with one round for a word and three at the end, as its paper has it, with zero keys.
    fn by_the_paper(key: &[u8]) -> u64 {
        let round = |[mut a, mut b, mut c, mut d]: [u64; 4]| {
            a = a.wrapping_add(b);
            b = b.rotate_left(13) ^ a;
            a = a.rotate_left(32);
            c = c.wrapping_add(d);
            d = d.rotate_left(16) ^ c;
            a = a.wrapping_add(d);
            d = d.rotate_left(21) ^ a;
            c = c.wrapping_add(b);
            b = b.rotate_left(17) ^ c;
            c = c.rotate_left(32);
            [a, b, c, d]
        };
        let mut state = [
            0x736f_6d65_7073_6575,
            0x646f_7261_6e64_6f6d,
            0x6c79_6765_6e65_7261,
            0x7465_6462_7974_6573,
        ];
        let mut padded = key.to_vec();
        padded.resize(key.len() / 8 * 8 + 7, 0);
        padded.push(key.len() as u8);
        for word in padded.as_chunks().0 {
            let word = u64::from_le_bytes(*word);
            state[3] ^= word;
            state = round(state);
            state[0] ^= word;
        }
        state[2] ^= 0xff;
        state = (0..3).fold(state, |state, _| round(state));
        state.into_iter().fold(0, |hash, part| hash ^ part)
    }

    #[test]
    fn it_is_what_the_paper_says() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let key = &bytes[..length];
            assert_eq!(SipHash.hash(key), by_the_paper(key), "{length} bytes");
        }
    }
}
