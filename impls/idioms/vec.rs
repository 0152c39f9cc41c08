//! Each receiver gets bytes of its own.

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::work::{ALL_BUT_SHARE, NamedIdiom};

/// `idioms/vec`.
pub(crate) struct Vec {
    payload: std::vec::Vec<u8>,
    receivers: u32,
}

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
        let IdiomTask::Share { bytes, receivers } = task else {
            return None;
        };
        Some(Self {
            payload: (0..bytes).map(|place| place as u8).collect(),
            receivers,
        })
    }

    #[inline]
    fn step(&self, number: u64) -> u64 {
        let received = (0..self.receivers).map(|_| self.payload.clone());
        let received: Box<[_]> = received.collect();
        let place = (number % self.payload.len().max(1) as u64) as usize;
        let bytes = received.iter().filter_map(|payload| payload.get(place));
        bytes.map(|&byte| u64::from(byte)).sum()
    }
}
