//! The document's hash with AVX2.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::hash::HashFunction;
use ringside_metal::simd::Avx2;

use super::work::NamedHash;

/// `hash/avx2_doc`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2Doc(Avx2);

static META: ImplementationMeta = ImplementationMeta {
    id: "hash/avx2_doc",
    about: "As a document has it: the four words of each 32 bytes xor each other, in which what came before cancels out.",
    axes: &[],
    ranked: true,
};

impl NamedHash for Avx2Doc {
    const META: &'static ImplementationMeta = &META;
    const NEEDS: &'static [&'static str] = &["avx2"];

    fn find() -> Option<Self> {
        Avx2::detect().map(Self)
    }
}

impl HashFunction for Avx2Doc {
    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        self.0.folded_lanes(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_forgets_all_before_it() {
        let Some(function) = Avx2Doc::find() else {
            return;
        };
        let hash = |key: String| function.hash(key.as_bytes());
        let words = |letters: [&str; 4]| letters.map(|letter| letter.repeat(8)).concat();
        let [first, second] =
            [["A", "B", "C", "D"], ["D", "C", "B", "A"]].map(|letters| hash(words(letters)));
        assert_eq!(first, second);
        assert_eq!([hash("A".repeat(32)), hash("Z".repeat(32))], [0, 0]);
        assert_eq!(hash("A".repeat(32) + &"Z".repeat(32)), 0);
    }
}
