//! What the conducting thread and the loading threads share: the number of the running segment, and
//! the progress of each thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use rustix::event::{EventfdFlags, eventfd};

use crate::error::LoadError;

/// The segment before the first: connections are opened, nothing is offered.
pub(crate) const SETUP: usize = usize::MAX - 1;

/// The segment behind the last: what is in flight may end, nothing new is offered.
pub(crate) const DRAIN: usize = usize::MAX;

/// Read by all threads, written by the conducting one (`segment`) or by one loading thread (its lane).
///
/// All accesses are relaxed: each value stands for itself, and what the threads hand over at the end
/// goes through their join.
#[derive(Debug)]
pub(crate) struct Shared {
    segment: AtomicUsize,
    lanes: Vec<Lane>,
}

/// What was done in a segment so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    /// Operations that ended.
    pub(crate) operations: u64,
    /// Bytes that came.
    pub(crate) received: u64,
}

/// One thread's part, in cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Lane {
    segment: AtomicUsize,
    completed: AtomicU64,
    received: AtomicU64,
    open: AtomicU32,
    wake: OwnedFd,
}

impl Shared {
    /// For so many threads, before the first segment.
    pub(crate) fn new(threads: usize) -> Result<Self, LoadError> {
        let lane = || {
            let wake = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)
                .map_err(LoadError::io("create an eventfd"))?;
            let segment = AtomicUsize::new(SETUP);
            Ok(Lane {
                segment,
                completed: AtomicU64::new(0),
                received: AtomicU64::new(0),
                open: AtomicU32::new(0),
                wake,
            })
        };
        let lanes = (0..threads)
            .map(|_| lane())
            .collect::<Result<_, LoadError>>()?;
        Ok(Self {
            segment: AtomicUsize::new(SETUP),
            lanes,
        })
    }

    /// The running segment.
    pub(crate) fn segment(&self) -> usize {
        self.segment.load(Ordering::Relaxed)
    }

    /// Goes on to another segment and wakes every thread.
    pub(crate) fn enter(&self, segment: usize) {
        self.segment.store(segment, Ordering::Relaxed);
        for lane in &self.lanes {
            // It can only fail when 2^64 - 1 wakes are pending: the thread is awake then.
            let _ = rustix::io::write(&lane.wake, &1_u64.to_ne_bytes());
        }
    }

    /// What wakes thread `thread`.
    pub(crate) fn wake(&self, thread: usize) -> BorrowedFd<'_> {
        self.lanes[thread].wake.as_fd()
    }

    /// Thread `thread` tells how far it is in `segment`.
    pub(crate) fn publish(&self, thread: usize, segment: usize, progress: Progress, open: u32) {
        let lane = &self.lanes[thread];
        lane.segment.store(segment, Ordering::Relaxed);
        lane.completed.store(progress.operations, Ordering::Relaxed);
        lane.received.store(progress.received, Ordering::Relaxed);
        lane.open.store(open, Ordering::Relaxed);
    }

    /// What was done in `segment`, as far as the threads have told: one that has not come to it yet
    /// counts 0.
    pub(crate) fn progress(&self, segment: usize) -> Progress {
        let mut sum = Progress::default();
        for lane in &self.lanes {
            if lane.segment.load(Ordering::Relaxed) == segment {
                sum.operations += lane.completed.load(Ordering::Relaxed);
                sum.received += lane.received.load(Ordering::Relaxed);
            }
        }
        sum
    }

    /// Connections that are open, as far as the threads have told.
    pub(crate) fn open(&self) -> u32 {
        self.lanes
            .iter()
            .map(|lane| lane.open.load(Ordering::Relaxed))
            .sum()
    }
}
