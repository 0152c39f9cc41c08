//! Descriptors that are held for files. Connections take every descriptor that is free, since an
//! `accept` stops only at the limit; without a reserve no file could be opened from then on, not even
//! to see whether one in memory has changed.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::EXHAUSTED;

/// Descriptors held back: an open needs one at a time, and an accept of another thread may be faster
/// than the open that one was given up for.
const HELD: usize = 8;

/// A few descriptors that stand for nothing.
#[derive(Debug)]
pub(super) struct Reserve(Mutex<Vec<OwnedFd>>);

impl Reserve {
    /// As full as the limit allows.
    pub(super) fn new() -> Self {
        let reserve = Self(Mutex::default());
        reserve.refill();
        reserve
    }

    /// Makes `open` try again with one descriptor free, until it succeeds or none is held any more.
    pub(super) fn spend<T>(&self, mut open: impl FnMut() -> Result<T, u16>) -> Result<T, u16> {
        let mut answer = open();
        while matches!(answer, Err(EXHAUSTED)) && self.held().pop().is_some() {
            answer = open();
        }
        self.refill();
        answer
    }

    /// Takes back what is missing. What it opened may be closed only later, so each open that asks the
    /// file system comes here.
    pub(super) fn refill(&self) {
        let mut held = self.held();
        while held.len() < HELD
            && let Ok(descriptor) = eventfd(0, EventfdFlags::CLOEXEC)
        {
            held.push(descriptor);
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<OwnedFd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
