//! What one thread counted in one segment of the load.

use crate::latency::Latencies;

/// Counts of one segment. Threads keep their own, which are added at the end.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// Operations that ended, rightly or not.
    pub(crate) operations: u64,
    /// Of these, right ones.
    pub(crate) right: u64,
    /// Of these, refused or lost with their connection.
    pub(crate) errors: u64,
    /// Of these, answered by wrong bytes.
    pub(crate) corrupt: u64,
    /// Operations without an answer in time.
    pub(crate) timeouts: u64,
    /// Operations that an open loop was meant to start.
    pub(crate) offered: u64,
    /// Operations that the generator itself started more than 1 ms late.
    pub(crate) late: u64,
    /// Operations that waited more than 1 ms for a place in the window of their connection.
    pub(crate) waited: u64,
    /// Operations without an answer at the end of a measured window.
    pub(crate) unanswered: u64,
    /// Operations in flight at the end of a measured window, however short.
    pub(crate) in_flight: u64,
    /// Bytes sent.
    pub(crate) sent: u64,
    /// Bytes received, discarded ones included.
    pub(crate) received: u64,
    /// Right answers whose bytes are known, which is all but those that ended beside a wrong one.
    pub(crate) answers: u64,
    /// Bytes of these answers.
    pub(crate) answer_bytes: u64,
    /// Connections that were opened.
    pub(crate) connects: u64,
    /// Connections that could not be opened.
    pub(crate) connect_failures: u64,
    /// Latency of the operations that ended; absent in segments that nobody reads.
    pub(crate) latencies: Option<Latencies>,
}

impl Tally {
    /// Nothing counted; with or without a histogram, which takes 250 KB.
    pub(crate) fn new(with_latency: bool) -> Self {
        Self {
            operations: 0,
            right: 0,
            errors: 0,
            corrupt: 0,
            timeouts: 0,
            offered: 0,
            late: 0,
            waited: 0,
            unanswered: 0,
            in_flight: 0,
            sent: 0,
            received: 0,
            answers: 0,
            answer_bytes: 0,
            connects: 0,
            connect_failures: 0,
            latencies: with_latency.then(Latencies::new),
        }
    }

    /// Adds the counts of another thread.
    pub(crate) fn add(&mut self, other: &Self) {
        self.operations += other.operations;
        self.right += other.right;
        self.errors += other.errors;
        self.corrupt += other.corrupt;
        self.timeouts += other.timeouts;
        self.offered += other.offered;
        self.late += other.late;
        self.waited += other.waited;
        self.unanswered += other.unanswered;
        self.in_flight += other.in_flight;
        self.sent += other.sent;
        self.received += other.received;
        self.answers += other.answers;
        self.answer_bytes += other.answer_bytes;
        self.connects += other.connects;
        self.connect_failures += other.connect_failures;
        if let (Some(mine), Some(others)) = (&mut self.latencies, &other.latencies) {
            mine.add(others);
        }
    }
}
