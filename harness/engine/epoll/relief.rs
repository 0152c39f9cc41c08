//! A further loop, on a thread of its own beside the first, for when a table of descriptors has no room left.
//!
//! A process may have so many open files, but the limit is each table's, and a thread may have a table of its
//! own: with a loop more the same listener feeds as many connections again. The thread inherits the processor
//! of the one that it relieves, so the loops still share one core. Full loops look at the listener again
//! when they have closed a connection; while several have room, a new one wakes all of them and one gets it.
//!
//! A descriptor that is opened later in one table does not exist in the others. So all that the loops have in
//! common is open before the first of them starts, and keeps its number in every table ([`SmallTable`] closes
//! all else): the listener, the signal to stop, what the protocol names, and the flags by which loops wake
//! one another. That is the simplest way to wake a loop of another table: a flag is a descriptor without
//! anything behind it, and nobody has to be handed one while it serves. The owners of all these are
//! `Arc`s, of which the first loop, or who started it, has the last, since each loop waits for the end of the
//! next: so each is closed in the table that it was opened in.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use ringside_contract::{Counters, StartError};
use ringside_metal::{SmallTable, coarse_millis, socket};

use super::{ACCEPT_BATCH, EventLoop, refuse_ring_modes};
use crate::inbox::Inbox;
use crate::listener::Listener;
use crate::service::{Stop, add_counters, io_error, panic_message};
use crate::{BodyMode, Millis, Protocol};

/// Loops of a service at most: with 20,000 open files allowed, over a million connections.
const LOOPS_MAX: usize = 64;

/// Open files of a table for each loop that there may be: a flag for each of them then takes no more than
/// this part of a small table.
const PLACES_OF_A_LOOP: u64 = 32;

/// Places that are left when another loop should come: it accepts before these are taken.
const CLOSE_TO_FULL: u64 = 4 * ACCEPT_BATCH as u64;

/// What the loops of a service have in common.
pub(crate) struct Loops<P> {
    pub(super) protocol: Arc<P>,
    pub(super) body: BodyMode,
    pub(super) stop: Arc<Stop>,
    /// When the first one was made: the core may hold times of one loop against those of another.
    pub(super) started: Millis,
    /// One for each loop that there may be, where connections call one another.
    inboxes: Vec<Arc<Inbox>>,
    /// How many there may be.
    most: usize,
    begun: AtomicUsize,
    /// A connection with this descriptor or a higher one shows that a table is nearly full: the lowest free
    /// number is always taken.
    close_to_full: u64,
}

impl<P: Protocol> Loops<P> {
    /// For `first` loops that share the process's table, and those that relieve them.
    ///
    /// # Errors
    /// [`StartError`]: the body mode needs io_uring, or no descriptor is left.
    pub(crate) fn new(
        protocol: P,
        first: usize,
        body: BodyMode,
        stop: &Arc<Stop>,
    ) -> Result<Arc<Self>, StartError> {
        refuse_ring_modes(body)?;
        let limit = socket::open_files_limit().unwrap_or(u64::MAX);
        let most = if protocol.wants_one_thread() {
            first
        } else {
            loops_max(limit).max(first)
        };
        let inboxes = if P::CALLS { most } else { 0 };
        let inboxes: io::Result<_> = (0..inboxes).map(|_| Inbox::new()).collect();
        Ok(Arc::new(Self {
            protocol: Arc::new(protocol),
            body,
            stop: Arc::clone(stop),
            started: coarse_millis(),
            inboxes: inboxes.map_err(|source| io_error("make the flags of event loops", source))?,
            most,
            begun: AtomicUsize::new(0),
            close_to_full: close_to_full(limit),
        }))
    }

    /// The number of another loop, if there may be one.
    pub(super) fn begin(&self) -> Option<usize> {
        // Relaxed: numbers need only differ.
        let order = Ordering::Relaxed;
        let next = |begun| (begun < self.most).then_some(begun + 1);
        self.begun.fetch_update(order, order, next).ok()
    }

    /// What calls the connections of a loop, where connections call one another.
    pub(super) fn inbox(&self, number: usize) -> Option<Arc<Inbox>> {
        self.inboxes.get(number).cloned()
    }

    /// What has to be open in every table.
    fn shared<'a>(&'a self, listener: &'a Listener) -> Vec<BorrowedFd<'a>> {
        let mut shared = vec![listener.as_fd(), self.stop.as_fd()];
        shared.extend(self.inboxes.iter().map(|inbox| inbox.as_fd()));
        shared.extend(self.protocol.descriptors());
        shared
    }
}

fn loops_max(limit: u64) -> usize {
    usize::try_from(limit / PLACES_OF_A_LOOP).map_or(LOOPS_MAX, |loops| loops.min(LOOPS_MAX))
}

/// Of a small table a quarter is left.
fn close_to_full(limit: u64) -> u64 {
    limit - CLOSE_TO_FULL.min(limit / 4)
}

/// The loop that takes over when the table of this one is full.
pub(super) struct Relief<P: Protocol> {
    loops: Arc<Loops<P>>,
    listener: Arc<Listener>,
    number: Option<usize>,
    thread: Option<JoinHandle<io::Result<Counters>>>,
}

impl<P: Protocol> Relief<P> {
    pub(super) fn new(loops: &Arc<Loops<P>>, listener: &Arc<Listener>) -> Self {
        Self {
            loops: Arc::clone(loops),
            listener: Arc::clone(listener),
            number: None,
            thread: None,
        }
    }

    /// A connection has got this descriptor.
    pub(super) fn watch(&mut self, descriptor: i32) {
        // Descriptors are not negative.
        if descriptor as u64 >= self.loops.close_to_full {
            self.come();
        }
    }

    /// Starts it, unless it runs or there may be none.
    #[cold]
    pub(super) fn come(&mut self) {
        if self.thread.is_some() {
            return;
        }
        if self.number.is_none() {
            self.number = self.loops.begin();
        }
        let Some(number) = self.number else { return };
        let (loops, listener) = (Arc::clone(&self.loops), Arc::clone(&self.listener));
        let work = move || relieve(loops, listener, number);
        // Without a thread clients wait; with the next one that comes it is tried again.
        let name = format!("loop-{number}");
        self.thread = thread::Builder::new().name(name).spawn(work).ok();
    }

    /// Waits for its end, which the signal brings, and adds what it counted.
    pub(super) fn end(&mut self, counters: &mut Counters) -> io::Result<()> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let more = thread
            .join()
            .unwrap_or_else(|panic| Err(io::Error::other(panic_message(panic.as_ref()))))?;
        add_counters(counters, more);
        Ok(())
    }
}

impl<P: Protocol> Drop for Relief<P> {
    fn drop(&mut self) {
        // Where the loop failed: what it shares with the next one must not be gone before that.
        let _ = self.end(&mut Counters::new());
    }
}

/// A loop in a table of its own.
fn relieve<P: Protocol>(
    loops: Arc<Loops<P>>,
    listener: Arc<Listener>,
    number: usize,
) -> io::Result<Counters> {
    match SmallTable::enter(&loops.shared(&listener)) {
        Ok(table) => {
            let counters = serve(loops, listener, number);
            // Behind everything that used it.
            drop(table);
            counters
        }
        Err(_) => Ok(refused()),
    }
}

fn serve<P: Protocol>(
    loops: Arc<Loops<P>>,
    listener: Arc<Listener>,
    number: usize,
) -> io::Result<Counters> {
    let made = loops
        .protocol
        .in_own_table()
        .and_then(|protocol| EventLoop::new(&loops, protocol, listener, number));
    drop(loops);
    made.map_or_else(|_| Ok(refused()), EventLoop::run)
}

/// Further clients wait, as they would without it.
fn refused() -> Counters {
    Counters::from([("loops_refused".to_owned(), 1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_table_has_few_loops_and_is_called_full_late() {
        for (limit, loops, full) in [
            (20_000, 64, 19_744),
            (2048, 64, 1792),
            (1024, 32, 768),
            (256, 8, 192),
            (64, 2, 48),
            (16, 0, 12),
            (u64::MAX, 64, u64::MAX - 256),
        ] {
            assert_eq!((loops_max(limit), close_to_full(limit)), (loops, full));
        }
    }
}
