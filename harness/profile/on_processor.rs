//! Where processor time goes: stacks sampled by a clock that ticks while a thread runs.

use crate::folded::Folded;
use crate::script::{Event, Happened};

/// Counts the samples of each stack.
#[derive(Debug, Default)]
pub struct OnProcessor {
    folded: Folded,
}

impl OnProcessor {
    /// Takes an event in.
    pub fn take(&mut self, event: &Event) {
        if let Happened::Sample { stack, .. } = &event.happened {
            self.folded.add(&event.thread, stack, 1);
        }
    }

    /// The stacks, in samples.
    pub fn folded(self) -> Folded {
        self.folded
    }
}
