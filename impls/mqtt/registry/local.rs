//! A tree for each thread, without a lock: for a broker of one loop, which alone ever touches its own.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::tree::Tree;

thread_local! {
    /// The trees of this thread's brokers: one, but for tests that run several.
    static TREES: RefCell<Vec<(u64, Tree)>> = const { RefCell::new(Vec::new()) };
}

/// Names the broker's tree in whichever thread asks.
#[derive(Debug)]
pub(super) struct Local {
    number: u64,
}

impl Default for Local {
    fn default() -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            // Relaxed: numbers need only differ.
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        }
    }
}

impl Local {
    /// Works on this thread's tree.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut Tree) -> R) -> R {
        TREES.with_borrow_mut(|trees| {
            let known = trees.iter().position(|(number, _)| *number == self.number);
            let at = known.unwrap_or_else(|| {
                trees.push((self.number, Tree::default()));
                trees.len() - 1
            });
            work(&mut trees[at].1)
        })
    }
}
