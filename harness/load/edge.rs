//! The edges of the segments: what has no answer when a measured window ends is counted with its time
//! so far. Leaving it out would hide the longest waits of all (coordinated omission).

use ringside_metal::monotonic_ns;

use crate::latency::Latencies;
use crate::pacing::LATE_NS;
use crate::tally::Tally;
use crate::worker::Worker;

/// An operation of a closed loop that is in flight for less than this, or for less than a tenth of the
/// window, is none to tell of: every window ends with operations in flight.
const PENDING_MIN_NS: u64 = 50_000_000;

impl Worker<'_> {
    /// Counts into the tally of the running segment from now on.
    pub(crate) fn enter_segment(&mut self) {
        self.enter_bin(self.shared.segment().min(self.tallies.len() - 1));
    }

    /// Counts into tally `bin` from now on.
    pub(crate) fn enter_bin(&mut self, bin: usize) {
        if bin == self.bin {
            return;
        }
        let now = monotonic_ns();
        if self.tallies[self.bin].latencies.is_some() {
            self.close_window(now);
        }
        self.bin = bin;
        self.bin_began = now;
    }

    /// Counts what has no answer at the end of a measured window.
    fn close_window(&mut self, now: u64) {
        let began = self.bin_began;
        let tally = &mut self.tallies[self.bin];
        tally.in_flight = self.in_flight;
        let median = tally.latencies.as_ref().map_or(0, Latencies::median_ns);
        if !self.pacing.is_open_loop() {
            let longest = tally.latencies.as_ref().map_or(0, Latencies::max_ns);
            let pending_ns = PENDING_MIN_NS.max((now - began) / 10).max(longest);
            // A throttled load makes its own operations last: they tell nothing of the server.
            let throttled = self.setup.plan.sockets.read_bytes_per_s.is_some();
            let flying = self.connections.iter().flat_map(|some| &some.flying);
            flying
                .map(|flying| flying.intended)
                .filter(|&intended| !throttled && now.saturating_sub(intended) > pending_ns)
                .for_each(|intended| unanswered(tally, now.saturating_sub(intended), median));
            return;
        }
        for connection in &self.connections {
            let flying = connection.flying.iter();
            flying
                .map(|flying| flying.intended)
                .filter(|&intended| intended >= began)
                .for_each(|intended| unanswered(tally, now.saturating_sub(intended), median));
            for waiting in connection
                .waiting
                .iter()
                .filter(|one| one.intended >= began)
            {
                tally.waited += u64::from(now.saturating_sub(waiting.since) > LATE_NS);
                unanswered(tally, now.saturating_sub(waiting.intended), median);
            }
        }
        for intended in self.pacing.due(now).filter(|&intended| intended >= began) {
            tally.offered += 1;
            tally.late += u64::from(now - intended > LATE_NS);
            unanswered(tally, now.saturating_sub(intended), median);
        }
    }
}

/// An operation that has waited for less than the median so far says nothing about long waits, and
/// counted with its time so far it would be the fastest of all.
fn unanswered(tally: &mut Tally, so_far: u64, median: u64) {
    tally.unanswered += 1;
    if let Some(latencies) = tally.latencies.as_mut().filter(|_| so_far >= median) {
        latencies.record(so_far);
    }
}
