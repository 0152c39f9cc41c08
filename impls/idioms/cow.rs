//! The text that came in comes out again where nothing had to be replaced.

use std::borrow;

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::texts::{Texts, read};
use super::work::{ALL_BUT_ESCAPE, NamedIdiom};

/// `idioms/cow`.
pub(crate) struct Cow(Texts);

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/cow",
    about: "Gives a new text only where something is replaced, otherwise a reference (Cow<str>).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Cow {
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
fn escaped(text: &str) -> borrow::Cow<'_, str> {
    if text.contains('<') {
        text.replace('<', "&lt;").into()
    } else {
        text.into()
    }
}
