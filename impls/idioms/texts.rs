//! Texts, and what is done with them.

use ringside_contract::operations::idioms::{IdiomTask, TEXTS, text};

/// Texts that are handed on, or in which something is replaced.
pub(super) struct Texts(Box<[String]>);

impl Texts {
    /// Those of [`IdiomTask::Pass`].
    pub(super) fn to_pass(task: IdiomTask) -> Option<Self> {
        match task {
            IdiomTask::Pass { bytes } => Some(Self::new(bytes, u32::MAX)),
            _ => None,
        }
    }

    /// Those of [`IdiomTask::Escape`].
    pub(super) fn to_escape(task: IdiomTask) -> Option<Self> {
        match task {
            IdiomTask::Escape { bytes, every } => Some(Self::new(bytes, every)),
            _ => None,
        }
    }

    fn new(bytes: u32, every: u32) -> Self {
        Self(
            (0..TEXTS)
                .map(|number| text(number, bytes, every))
                .collect(),
        )
    }

    #[inline]
    pub(super) fn get(&self, number: u64) -> &String {
        &self.0[(number % TEXTS) as usize]
    }
}

/// What a receiver does with a text, which no compiler looks into: a byte of each end, and the length.
#[inline(never)]
pub(super) fn read(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    let ends = ends.map_or(0, |(&first, &last)| u64::from(first) << 8 | u64::from(last));
    (text.len() as u64) << 16 | ends
}
