//! When a thread starts operations: at once in a closed loop, at intended times in an open one.

use std::time::Duration;

use ringside_contract::Arrivals;
use ringside_metal::monotonic_ns;

use crate::connection::{State, Waiting};
use crate::schedule::Schedule;
use crate::worker::{Setup, Worker};

/// Operations started before events are looked at again: 64 sends take about 0.3 ms, well under the
/// 1 ms from which on a start counts as late.
const STARTS_MAX: usize = 64;

/// A start that is later than this counts as late.
pub(crate) const LATE_NS: u64 = 1_000_000;

/// A thread stays awake for so long before an intended time, and looks for answers meanwhile. On a
/// virtual core that sleeps, the timer wakes it 10 to 20 us late, which would be in every latency:
/// with 20 us, the median at 20,000 operations a second fell from 79 to 61 us for 1 to 3 % more of the
/// core; with 5 us by 4 us only; with 50 us to 39 us, but the core was never idle any more.
const AWAKE_NS: u64 = 20_000;

/// What the pace of one thread depends on.
#[derive(Debug)]
pub(crate) struct Pacing {
    /// Connections of the thread that carry operations: the first ones.
    active: usize,
    /// Operations in flight on one connection.
    pub(crate) window: u32,
    poisson: bool,
    seed: u64,
    /// The thread's part of the whole load.
    share: f64,
    /// Its place among the threads, as a part of the gap between two operations of the whole load.
    offset: f64,
    /// Absent in a closed loop and before the load begins.
    schedule: Option<Schedule>,
    stage: Option<usize>,
    next_connection: usize,
}

impl Pacing {
    /// The pace of thread `number` with `active` connections that carry operations.
    pub(crate) fn new(setup: &Setup<'_>, number: usize, active: usize) -> Self {
        let (window, poisson) = match setup.plan.arrivals {
            Arrivals::Closed { window } => (window, false),
            Arrivals::Open {
                window, poisson, ..
            }
            | Arrivals::Sweep {
                window, poisson, ..
            } => (window, poisson),
        };
        Self {
            active,
            window: window.max(1),
            poisson,
            seed: setup.options.seed.wrapping_add((number as u64) << 32),
            share: active as f64 / f64::from(setup.plan.active.max(1)),
            offset: number as f64,
            schedule: None,
            stage: None,
            next_connection: 0,
        }
    }

    /// Connections of the thread that carry operations.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    /// Goes on with, or begins, the schedule of segment `segment`.
    pub(crate) fn follow(&mut self, segment: usize, setup: &Setup<'_>, now: u64) {
        let segment = &setup.segments[segment];
        if self.stage == Some(segment.stage) {
            return;
        }
        self.stage = Some(segment.stage);
        self.schedule = segment.rate_per_s.map(|rate| {
            let rate_here = rate * self.share;
            if self.poisson {
                Schedule::poisson(now, rate_here, self.seed.wrapping_add(segment.stage as u64))
            } else {
                let offset_ns = if rate > 0.0 {
                    self.offset * 1e9 / rate
                } else {
                    0.0
                };
                Schedule::constant(now + offset_ns as u64, rate_here)
            }
        });
    }

    /// True when operations start at intended times.
    pub(crate) fn is_open_loop(&self) -> bool {
        self.schedule.is_some()
    }

    /// How long to sleep when nothing else happens before `until`.
    pub(crate) fn wait_time(&self, until: u64, running: bool) -> Duration {
        let next = match &self.schedule {
            Some(schedule) if running && self.active > 0 => schedule.next(),
            _ => u64::MAX,
        };
        let wake = until.min(next.saturating_sub(AWAKE_NS));
        Duration::from_nanos(wake.saturating_sub(monotonic_ns()))
    }

    /// The intended times up to `now` of operations that have not been started.
    pub(crate) fn due(&self, now: u64) -> impl Iterator<Item = u64> {
        let mut schedule = self.schedule.clone().filter(|_| self.active > 0);
        std::iter::from_fn(move || {
            let schedule = schedule.as_mut()?;
            let intended = schedule.next();
            schedule.advance();
            (intended <= now).then_some(intended)
        })
    }

    /// The next intended time that has come, with the connection that is to carry it.
    fn take_due(&mut self, now: u64) -> Option<(u64, usize)> {
        let schedule = self.schedule.as_mut()?;
        let intended = schedule.next();
        if intended > now || self.active == 0 {
            return None;
        }
        schedule.advance();
        let connection = self.next_connection;
        self.next_connection = (connection + 1) % self.active;
        Some((intended, connection))
    }
}

impl Worker<'_> {
    /// Starts the operations whose time has come.
    pub(crate) fn start_due(&mut self) {
        if !self.running || !self.pacing.is_open_loop() {
            return;
        }
        for _ in 0..STARTS_MAX {
            let now = monotonic_ns();
            let Some((intended, index)) = self.pacing.take_due(now) else {
                return;
            };
            let tally = &mut self.tallies[self.bin];
            // What was due before the segment began was counted when the one before it ended.
            if intended >= self.bin_began {
                tally.offered += 1;
                tally.late += u64::from(now - intended > LATE_NS);
            }
            let connection = &mut self.connections[index];
            connection.waiting.push_back(Waiting {
                intended,
                since: now,
            });
            if connection.state == State::Open && connection.in_flight() < self.pacing.window {
                self.buffers.out.clear();
                self.refill(index, now);
                self.flush(index);
            }
        }
    }
}
