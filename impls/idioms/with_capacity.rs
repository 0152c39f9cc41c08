//! A vector that has room for all numbers before the first one comes.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::growing::filled;
use super::work::{ALL_BUT_FILL, NamedIdiom};

/// `idioms/with_capacity`.
pub(crate) struct WithCapacity(u32);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/with_capacity",
    about: "A vector that has room for all from the start (Vec::with_capacity).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for WithCapacity {
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
        filled(Vec::with_capacity(self.0 as usize), self.0, number)
    }
}
