//! What happens often: a stack for each so-many-th time, by a clock that ticks while a thread runs, or by calls of a
//! function.

use crate::folded::Folded;
use crate::script::{Event, Happened};

/// Adds up the samples of each stack.
#[derive(Debug)]
pub struct Sampled {
    weight: u64,
    folded: Folded,
}

impl Sampled {
    /// Each sample stands for `weight` of what is sampled.
    pub fn each(weight: u64) -> Self {
        Self {
            weight,
            folded: Folded::default(),
        }
    }

    /// Takes an event in.
    pub fn take(&mut self, event: &Event) {
        if let Happened::Sample { stack, .. } = &event.happened {
            self.folded.add(&event.thread, stack, self.weight);
        }
    }

    /// The stacks.
    pub fn folded(self) -> Folded {
        self.folded
    }
}
