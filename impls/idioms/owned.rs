//! A text of its own comes out, whether anything had to be replaced or not.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::texts::{Texts, read};
use super::work::{ALL_BUT_ESCAPE, NamedIdiom};

/// `idioms/owned`.
pub(crate) struct Owned(Texts);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/owned",
    about: "Gives a new text in any case (String).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Owned {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_ESCAPE;

    fn new(task: IdiomTask) -> Option<Self> {
        Texts::to_escape(task).map(Self)
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        read(&escaped(self.0.get(number)))
    }
}

#[inline]
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;")
}
