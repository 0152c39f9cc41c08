//! What the self-test plants into: one server of each kind of work, and how disturbed the machine is.

use ringside_metal::plant::Kind;

/// A server with the slowdown that is planted into it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    /// Its name in files and tables.
    pub(super) name: &'static str,
    /// The scenario.
    pub(super) scenario: &'static str,
    /// The implementation.
    pub(super) implementation: &'static str,
    /// What is planted.
    pub(super) kind: Kind,
    /// Millionths of it an operation that may slow it down by some per cent: where calibrating begins.
    pub(super) guess: u64,
}

/// One case for each kind of slowdown, in the family that has most of such work.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "http",
        scenario: "http/small",
        implementation: "http/epoll",
        kind: Kind::Io,
        guess: 2_000_000,
    },
    Case {
        name: "mqtt",
        // With little in flight a turn is short.
        scenario: "mqtt/pairs{pairs=10,window=16}",
        implementation: "mqtt/epoll",
        kind: Kind::Lock,
        guess: 15_000,
    },
    Case {
        name: "hash",
        scenario: "hash/throughput",
        implementation: "hash/fnv1a",
        kind: Kind::Processor,
        guess: 3_000_000,
    },
];

/// How much else goes on on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing that the self-test starts.
    Quiet,
    /// A thread that never rests, wherever the system lets it run.
    Neighbour,
}

impl Condition {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Quiet, Self::Neighbour];

    /// Its name in files and tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Neighbour => "neighbour",
        }
    }
}

/// Which heads a triple has beside base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heads {
    /// All of them.
    All,
    /// One without a change, each in its turn: no process is in two trials, and a triple takes a third of the time.
    OneUnchanged,
}

impl Heads {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::All, Self::OneUnchanged];

    /// Its name in files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::OneUnchanged => "one_unchanged",
        }
    }

    /// What a recording's folder has behind its name.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::All => "",
            Self::OneUnchanged => "-unchanged",
        }
    }
}
