//! A vector that grows as numbers come.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::work::{ALL_BUT_FILL, NamedIdiom};

/// `idioms/growing`.
pub(crate) struct Growing(u32);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/growing",
    about: "A vector that begins without room and grows (Vec::new).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Growing {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_FILL;

    fn new(task: IdiomTask) -> Option<Self> {
        match task {
            IdiomTask::Fill { items } => Some(Self(items)),
            _ => None,
        }
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        filled(Vec::new(), self.0, number)
    }
}

/// Puts numbers behind each other, one at a time, and gives the last one and how many there are.
#[inline]
pub(super) fn filled(mut numbers: Vec<u64>, items: u32, number: u64) -> u64 {
    for item in 0..u64::from(items) {
        // That a number comes from elsewhere keeps a compiler from reserving room for all of them.
        numbers.push(std::hint::black_box(item.wrapping_mul(number)));
    }
    let last = numbers.last().copied().unwrap_or(0);
    std::hint::black_box(&numbers);
    last ^ (numbers.len() as u64) << 48
}
