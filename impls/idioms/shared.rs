//! A payload that several receivers keep for a while, each with what `Clone` gives it.

use ringside_contract::operations::idioms::IdiomTask;

/// The payload, and how many get it.
pub(super) struct Shared<P> {
    payload: P,
    receivers: u32,
}

impl<P: AsRef<[u8]> + Clone + FromIterator<u8>> Shared<P> {
    /// That of [`IdiomTask::Share`].
    pub(super) fn new(task: IdiomTask) -> Option<Self> {
        let IdiomTask::Share { bytes, receivers } = task else {
            return None;
        };
        Some(Self {
            payload: (0..bytes).map(|place| place as u8).collect(),
            receivers,
        })
    }

    /// Hands it to all of them, and looks at a byte of each.
    #[inline]
    pub(super) fn step(&self, number: u64) -> u64 {
        let received = (0..self.receivers).map(|_| self.payload.clone());
        let received: Box<[_]> = received.collect();
        let place = (number % self.payload.as_ref().len().max(1) as u64) as usize;
        let bytes = received
            .iter()
            .filter_map(|payload| payload.as_ref().get(place));
        bytes.map(|&byte| u64::from(byte)).sum()
    }
}
