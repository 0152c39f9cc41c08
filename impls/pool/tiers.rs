//! The sizes of document 001's buffers.

/// Buffers of one size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tier {
    /// Bytes of each.
    pub(super) size: usize,
    /// How many the document's example of a configuration has.
    pub(super) count: usize,
}

/// From the smallest on.
pub(super) const TIERS: [Tier; 4] = [
    Tier {
        size: 1 << 10,
        count: 10_000,
    },
    Tier {
        size: 8 << 10,
        count: 5_000,
    },
    Tier {
        size: 64 << 10,
        count: 1_000,
    },
    Tier {
        size: 1 << 20,
        count: 100,
    },
];

/// The smallest tier with room for so many bytes.
#[inline]
pub(super) fn tier_of_size(size: usize) -> Option<usize> {
    TIERS.iter().position(|tier| tier.size >= size)
}

/// The tier whose buffers have just this capacity, or at least it: the largest that is not larger.
#[inline]
pub(super) fn tier_of_capacity(capacity: usize) -> Option<usize> {
    TIERS.iter().rposition(|tier| tier.size <= capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_goes_back_to_where_it_came_from() {
        for size in [1, 1024, 1025, 8192, 65_536, 65_537, 1 << 20] {
            let tier = tier_of_size(size).unwrap();
            assert!(TIERS[tier].size >= size);
            assert_eq!(tier_of_capacity(TIERS[tier].size), Some(tier), "{size}");
        }
        assert_eq!(tier_of_size((1 << 20) + 1), None);
        assert_eq!(tier_of_capacity(1023), None);
    }
}
