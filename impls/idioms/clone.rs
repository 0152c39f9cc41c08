//! A text is copied for whoever reads it.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::texts::{Texts, read};
use super::work::{ALL_BUT_PASS, NamedIdiom};

/// `idioms/clone`.
pub(crate) struct Clone(Texts);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/clone",
    about: "The reader gets a copy of the text (String::clone).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Clone {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_PASS;

    fn new(task: IdiomTask) -> Option<Self> {
        Texts::to_pass(task).map(Self)
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        let text: String = self.0.get(number).clone();
        read(&text)
    }
}
