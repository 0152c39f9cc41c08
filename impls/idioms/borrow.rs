//! A text is shown to whoever reads it.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::texts::{Texts, read};
use super::work::{ALL_BUT_PASS, NamedIdiom};

/// `idioms/borrow`.
pub(crate) struct Borrow(Texts);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/borrow",
    about: "The reader gets a reference to the text (&str).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Borrow {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_PASS;

    fn new(task: IdiomTask) -> Option<Self> {
        Texts::to_pass(task).map(Self)
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        let text: &str = self.0.get(number);
        read(text)
    }
}
