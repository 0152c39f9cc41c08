//! One loading thread: a readiness loop over its share of the connections.
//!
//! For each event there is one receive and one send; the buffers are the thread's, nothing is
//! allocated for an operation, and the clock is read once for each event.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::mpsc::Sender;
use std::time::Duration;

use ringside_contract::{Completion, LoadPlan, Operation, Params, Scenario};
use ringside_metal::{monotonic_ns, wait_events};
use rustix::event::epoll;

use crate::connection::Connection;
use crate::error::LoadError;
use crate::options::DriveOptions;
use crate::pacing::Pacing;
use crate::segment::{Kind, Segment};
use crate::shared::{DRAIN, Progress, SETUP, Shared};
use crate::tally::Tally;

/// Events taken from the kernel at once: more than this only delays the clock of the last of them.
const EVENTS_MAX: usize = 256;

/// The token of the descriptor by which the conducting thread wakes a loading one.
pub(crate) const WAKE: u64 = u64::MAX;

/// How long operations in flight may take to end after the load.
const DRAIN_NS: u64 = 500_000_000;

/// How many errors are kept in words.
const SAMPLES_MAX: usize = 10;

/// What all loading threads are given.
pub(crate) struct Setup<'a> {
    /// The conversation.
    pub(crate) scenario: &'a dyn Scenario,
    /// Its parameters.
    pub(crate) params: &'a Params,
    /// Its load.
    pub(crate) plan: &'a LoadPlan,
    /// The load in time.
    pub(crate) segments: &'a [Segment],
    /// Where and how.
    pub(crate) options: &'a DriveOptions,
    /// How many loading threads there are.
    pub(crate) threads: usize,
    /// Connections from one source address.
    pub(crate) per_source: u64,
}

/// What a thread tells once its connections are open.
#[derive(Debug)]
pub(crate) struct Ready {
    /// The system's number of the thread.
    pub(crate) thread_id: u32,
    /// Connections that are open.
    pub(crate) opened: u32,
    /// Nanoseconds that it took.
    pub(crate) elapsed_ns: u64,
    /// Errors in words.
    pub(crate) samples: Vec<String>,
    /// Connections that could not be opened.
    pub(crate) failed: u64,
}

/// What a thread gives at the end.
#[derive(Debug)]
pub(crate) struct Report {
    /// Counts of each segment, and one more for what happened outside of all.
    pub(crate) tallies: Vec<Tally>,
    /// Errors in words.
    pub(crate) samples: Vec<String>,
}

/// Memory that all connections of a thread share.
#[derive(Debug)]
pub(crate) struct Buffers {
    /// Bytes that came.
    pub(crate) input: Vec<u8>,
    /// Never read and never written: the kernel throws bytes away "into" it.
    pub(crate) sink: Vec<u8>,
    /// Bytes to send.
    pub(crate) out: Vec<u8>,
    /// Operations that ended.
    pub(crate) done: Vec<Completion>,
    /// Operations to start.
    pub(crate) operations: Vec<Operation>,
}

/// A loading thread.
pub(crate) struct Worker<'a> {
    pub(crate) setup: &'a Setup<'a>,
    pub(crate) shared: &'a Shared,
    /// Its number, from 0.
    pub(crate) number: usize,
    pub(crate) epoll: OwnedFd,
    pub(crate) connections: Vec<Connection>,
    pub(crate) buffers: Buffers,
    pub(crate) pacing: Pacing,
    pub(crate) tallies: Vec<Tally>,
    /// The tally that counts now.
    pub(crate) bin: usize,
    /// When it began to.
    pub(crate) bin_began: u64,
    /// True while operations are started.
    pub(crate) running: bool,
    /// Operations in flight over all connections.
    pub(crate) in_flight: u64,
    pub(crate) open: u32,
    pub(crate) connecting: u32,
    /// When a connection was opened last.
    pub(crate) welcomed_at: u64,
    /// Connections opened so far, for the choice of the source address.
    pub(crate) opened: u64,
    /// Closed connections that are to be opened as soon as there is room.
    pub(crate) unopened: VecDeque<u32>,
    /// Closed connections that are to be opened later, by time.
    pub(crate) retries: VecDeque<(u64, u32)>,
    /// Connections whose operations ended on another one, and that have room for more.
    pub(crate) origins: Vec<usize>,
    /// Connections that may have more to read than one turn took, by token.
    pub(crate) again: Vec<u64>,
    /// Throttled connections by the time at which they may read again.
    pub(crate) parked: BinaryHeap<Reverse<(u64, u64)>>,
    /// When time-outs are looked for next.
    pub(crate) sweep_at: u64,
    pub(crate) samples: Vec<String>,
    events: Vec<epoll::Event>,
}

impl<'a> Worker<'a> {
    /// A thread's state with its share of the connections, all of them closed.
    pub(crate) fn new(
        setup: &'a Setup<'a>,
        shared: &'a Shared,
        number: usize,
    ) -> Result<Self, LoadError> {
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).map_err(LoadError::io("create an epoll"))?;
        let wake = epoll::EventData::new_u64(WAKE);
        epoll::add(
            &epoll,
            shared.wake(number),
            wake,
            epoll::EventFlags::IN | epoll::EventFlags::ET,
        )
        .map_err(LoadError::io("watch the thread's wake"))?;
        let share = |count: u32| (number as u32..count).step_by(setup.threads);
        let connections: Vec<_> = share(setup.plan.connections)
            .map(|number| {
                (
                    number,
                    setup
                        .scenario
                        .session(setup.params, setup.options.seed, number),
                )
            })
            .map(|(number, session)| Connection::new(number, session))
            .collect();
        let tallies = setup
            .segments
            .iter()
            .map(|segment| Tally::new(segment.kind == Kind::Measure))
            .chain([Tally::new(false)])
            .collect::<Vec<_>>();
        Ok(Self {
            unopened: (0..connections.len() as u32).collect(),
            pacing: Pacing::new(setup, number, share(setup.plan.active).count()),
            bin: tallies.len() - 1,
            buffers: Buffers::new(setup.plan.read_buffer),
            events: Vec::with_capacity(EVENTS_MAX),
            setup,
            shared,
            number,
            epoll,
            connections,
            tallies,
            bin_began: monotonic_ns(),
            running: false,
            in_flight: 0,
            open: 0,
            connecting: 0,
            welcomed_at: 0,
            opened: 0,
            retries: VecDeque::new(),
            origins: Vec::new(),
            again: Vec::new(),
            parked: BinaryHeap::new(),
            sweep_at: 0,
            samples: Vec::new(),
        })
    }

    /// Opens the connections, tells so, and loads until the last segment is over.
    pub(crate) fn run(mut self, ready: &Sender<Ready>) -> Result<Report, LoadError> {
        let began = monotonic_ns();
        while self.connecting > 0 || !self.unopened.is_empty() {
            self.open_some();
            self.turn()?;
        }
        let outside = self.tallies.len() - 1;
        let message = Ready {
            thread_id: rustix::thread::gettid()
                .as_raw_nonzero()
                .get()
                .unsigned_abs(),
            opened: self.open,
            elapsed_ns: monotonic_ns() - began,
            samples: self.samples.clone(),
            failed: self.tallies[outside].connect_failures,
        };
        // Nobody listens any more when another thread failed: the segment is DRAIN then.
        let _ = ready.send(message);
        self.shared
            .publish(self.number, SETUP, Progress::default(), self.open);
        while self.shared.segment() != DRAIN {
            self.follow_segment();
            self.turn()?;
        }
        self.drain()?;
        Ok(Report {
            tallies: self.tallies,
            samples: self.samples,
        })
    }

    /// Lets what is in flight end, so that closing resets as few connections as can be. A throttled
    /// load could take minutes for that: it is cut off.
    fn drain(&mut self) -> Result<(), LoadError> {
        self.running = false;
        self.enter_bin(self.tallies.len() - 1);
        let throttled = self.setup.plan.sockets.read_bytes_per_s.is_some();
        let until = monotonic_ns() + if throttled { 0 } else { DRAIN_NS };
        while self.in_flight > 0 && monotonic_ns() < until {
            self.turn()?;
        }
        Ok(())
    }

    /// Takes note of a new segment: its tally, its schedule, and the start of the load.
    fn follow_segment(&mut self) {
        let segment = self.shared.segment();
        if segment == SETUP || segment == DRAIN {
            return;
        }
        self.enter_bin(segment);
        if self.setup.segments[segment].kind == Kind::Rest {
            self.running = false;
            return;
        }
        self.pacing.follow(segment, self.setup, monotonic_ns());
        if !self.running {
            self.running = true;
            self.start_all();
        }
    }

    /// The first operations of a closed loop.
    fn start_all(&mut self) {
        let now = monotonic_ns();
        for index in 0..self.pacing.active() {
            self.buffers.out.clear();
            self.refill(index, now);
            self.flush(index);
        }
    }

    /// Waits for something to do and does all of it.
    fn turn(&mut self) -> Result<(), LoadError> {
        let timeout = self.wait_time();
        let mut events = std::mem::take(&mut self.events);
        wait_events(self.epoll.as_fd(), &mut events, timeout).map_err(|source| LoadError::Io {
            step: "wait for events",
            source,
        })?;
        for event in &events {
            // The segment may have changed while earlier events of this batch were handled.
            self.enter_segment();
            self.handle({ event.data }.u64(), event.flags);
        }
        self.events = events;
        self.read_again();
        self.keep_time(monotonic_ns());
        self.open_some();
        let Tally {
            operations,
            received,
            ..
        } = self.tallies[self.bin];
        let progress = Progress {
            operations,
            received,
        };
        self.shared
            .publish(self.number, self.bin, progress, self.open);
        Ok(())
    }

    /// How long it may sleep: until the next thing that happens by time.
    fn wait_time(&self) -> Duration {
        if !self.again.is_empty() {
            return Duration::ZERO;
        }
        let mut until = self.sweep_at;
        if let Some(&Reverse((at, _))) = self.parked.peek() {
            until = until.min(at);
        }
        if let Some(&(at, _)) = self.retries.front() {
            until = until.min(at);
        }
        self.pacing.wait_time(until, self.running)
    }

    /// Keeps an error in words, if there is room.
    pub(crate) fn sample(&mut self, message: impl FnOnce() -> String) {
        if self.samples.len() < SAMPLES_MAX {
            let message = message();
            if !self.samples.contains(&message) {
                self.samples.push(message);
            }
        }
    }
}

impl Buffers {
    /// For reads of so many bytes at once.
    fn new(read_bytes: usize) -> Self {
        Self {
            input: vec![0; read_bytes.max(4096)],
            // 4 MiB is more than a receive buffer holds. It is never touched, so it takes no memory.
            sink: vec![0; 4 << 20],
            out: Vec::with_capacity(64 << 10),
            done: Vec::with_capacity(256),
            operations: Vec::with_capacity(256),
        }
    }
}
