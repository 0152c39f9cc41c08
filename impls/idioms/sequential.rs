//! One thread works on all numbers.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::work::{ALL_BUT_SUM, NamedIdiom};

/// `idioms/sequential`.
pub(crate) struct Sequential(Box<[u64]>);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/sequential",
    about: "One thread goes through all numbers (Iterator).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Sequential {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_SUM;

    fn new(task: IdiomTask) -> Option<Self> {
        match task {
            IdiomTask::Sum { items, .. } => Some(Self((0..items.into()).collect())),
            _ => None,
        }
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        let worked = self.0.iter().map(|&item| work(item, number));
        worked.fold(0, u64::wrapping_add)
    }
}

/// What is done with each number: some nanoseconds, as of a hash.
#[inline]
pub(super) fn work(item: u64, number: u64) -> u64 {
    let mut word = item ^ number;
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        word = (word ^ word >> 30).wrapping_mul(factor);
    }
    word ^ word >> 31
}
