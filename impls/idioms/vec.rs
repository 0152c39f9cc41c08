//! Each receiver gets bytes of its own.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::shared::Shared;
use super::work::{ALL_BUT_SHARE, NamedIdiom};

/// `idioms/vec`.
pub(crate) struct Vec(Shared<std::vec::Vec<u8>>);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/vec",
    about: "Each receiver gets a copy (Vec<u8>).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Vec {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_SHARE;

    fn new(task: IdiomTask) -> Option<Self> {
        Shared::new(task).map(Self)
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        self.0.step(number)
    }
}
