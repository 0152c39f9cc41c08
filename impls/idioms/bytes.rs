//! All receivers have the same bytes, and the last one frees them.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::shared::Shared;
use super::work::{ALL_BUT_SHARE, NamedIdiom};

/// `idioms/bytes`.
pub(crate) struct Bytes(Shared<::bytes::Bytes>);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/bytes",
    about: "All receivers have the same bytes, which are counted (bytes::Bytes).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Bytes {
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
