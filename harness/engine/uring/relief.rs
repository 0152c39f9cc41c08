//! A further ring, on a thread of its own beside the first, for when a ring has no room left.
//!
//! A ring's table of direct descriptors has at most as many places as a process may have open files. That
//! limit is each table's, not the process's: with a ring more the same listener feeds as many connections
//! again. The thread inherits the processor of the one that it relieves, so the loops still share one core.

use std::io;
use std::thread::{self, JoinHandle};

use ringside_contract::Counters;
use ringside_metal::ring::RingSetup;

use super::settings::RingSettings;
use super::worker::{Common, Worker};
use crate::Protocol;
use crate::service::{Stop, add_counters, panic_message};

/// Rings that one listener feeds: with 20,000 open files allowed, over a million connections.
const RINGS_MAX: usize = 64;

/// Receive buffers and completions of a further ring. Its thousands of connections are mostly silent, and
/// each place that was used once keeps its memory: both rings go round.
const BUFFERS: u16 = 64;
const COMPLETIONS: u32 = 4096;

/// The set-up of a ring that came after `number` others.
pub(super) fn setup(settings: &RingSettings, number: usize) -> RingSetup {
    let first = settings.setup();
    match number {
        0 => first,
        _ => RingSetup {
            buffers: first.buffers.min(BUFFERS),
            completions: COMPLETIONS,
            ..first
        },
    }
}

/// The ring that takes over when this one is full.
pub(super) struct Relief<P: Protocol> {
    common: Common<P>,
    /// Rings before this one.
    number: usize,
    thread: Option<JoinHandle<io::Result<Counters>>>,
}

impl<P: Protocol> Relief<P> {
    pub(super) fn new(common: Common<P>, number: usize) -> Self {
        Self {
            common,
            number,
            thread: None,
        }
    }

    /// The signal that ends all rings.
    pub(super) fn stop(&self) -> &Stop {
        &self.common.stop
    }

    /// Starts it, unless it runs or there may be none.
    pub(super) fn come(&mut self) {
        let number = self.number + 1;
        if self.thread.is_some() || number >= RINGS_MAX || self.common.protocol.wants_one_thread() {
            return;
        }
        let common = self.common.clone();
        let work = move || match Worker::new(common, number) {
            Ok(worker) => worker.serve(),
            // Further clients wait, as they would without it.
            Err(_) => Ok(Counters::from([("rings_refused".to_owned(), 1)])),
        };
        let name = format!("ring-{number}");
        // Without a thread clients wait as well; with the next one that comes it is tried again.
        self.thread = thread::Builder::new().name(name).spawn(work).ok();
    }

    /// Waits for its end, which the signal brings, and adds what it counted.
    pub(super) fn end(self, counters: &mut Counters) -> io::Result<()> {
        let Some(thread) = self.thread else {
            return Ok(());
        };
        let more = thread
            .join()
            .unwrap_or_else(|panic| Err(io::Error::other(panic_message(panic.as_ref()))))?;
        add_counters(counters, more);
        Ok(())
    }
}
