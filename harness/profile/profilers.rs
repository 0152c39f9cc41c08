//! The profilers: what each is for, what it costs and what it leaves. One list for the help, the page and the file.

use ringside_contract::ProfilerAbout;

use crate::script::FIELDS;

/// A way to look at a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profiler {
    /// Where processor time goes.
    OnProcessor,
    /// Where threads wait.
    OffProcessor,
    /// Where they wait for locks.
    LockWaits,
    /// Where memory is asked for.
    Allocations,
    /// Which system calls they make.
    SystemCalls,
    /// How often they leave the processor.
    ContextSwitches,
}

/// How a profiler looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `perf record` takes stacks.
    Stacks,
    /// `perf trace` or `strace` counts calls.
    Trace,
    /// The kernel counts anyway: nothing is attached.
    Counters,
}

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Ticks of a clock.
    Samples,
    /// Time.
    Microseconds,
    /// Calls of the C library's functions that give out memory.
    Allocations,
    /// System calls.
    Calls,
    /// Times that a thread left the processor.
    Switches,
}

impl Profiler {
    /// All, in the order in which they are told of.
    pub const ALL: [Self; 6] = [
        Self::OnProcessor,
        Self::OffProcessor,
        Self::LockWaits,
        Self::Allocations,
        Self::SystemCalls,
        Self::ContextSwitches,
    ];

    /// Its name, on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnProcessor => "on-processor",
            Self::OffProcessor => "off-processor",
            Self::LockWaits => "lock-waits",
            Self::Allocations => "allocations",
            Self::SystemCalls => "system-calls",
            Self::ContextSwitches => "context-switches",
        }
    }

    /// Purpose, what slows the process down, output.
    const fn about(self) -> [&'static str; 3] {
        match self {
            Self::OnProcessor => [
                "in which functions processor time goes",
                "an interrupt for each of 997 samples a second of processor time",
                "a flame graph, folded stacks in samples",
            ],
            Self::OffProcessor => [
                "in which functions threads wait, and how long",
                "two records for each switch of threads: little for a busy loop, much for a thread for each connection",
                "a flame graph, folded stacks in microseconds",
            ],
            Self::LockWaits => [
                "in which functions threads wait for locks, and how long",
                "that of off-processor, of which it is a part",
                "a flame graph, folded stacks in microseconds",
            ],
            Self::Allocations => [
                "in which functions memory is asked for, and how often",
                "a trap for each call of malloc and its kin: much for a server that asks often",
                "a flame graph, folded stacks in allocations",
            ],
            Self::SystemCalls => [
                "which system calls an operation makes",
                "a record for each call with perf trace; with strace two stops of the process for each",
                "how often each is called",
            ],
            Self::ContextSwitches => [
                "how often threads leave the processor, because they wait or because it is taken away",
                "nothing: the kernel counts anyway",
                "switches for an operation, of both kinds",
            ],
        }
    }

    /// What is told of it before anybody uses it.
    pub fn words(self) -> ProfilerAbout {
        let [purpose, slowdown, output] = self.about().map(str::to_owned);
        ProfilerAbout {
            name: self.name().to_owned(),
            purpose,
            slowdown,
            output,
        }
    }

    /// How it looks.
    pub const fn method(self) -> Method {
        match self {
            Self::OnProcessor | Self::OffProcessor | Self::LockWaits | Self::Allocations => {
                Method::Stacks
            }
            Self::SystemCalls => Method::Trace,
            Self::ContextSwitches => Method::Counters,
        }
    }

    /// What it adds up.
    pub const fn unit(self) -> Unit {
        match self {
            Self::OnProcessor => Unit::Samples,
            Self::OffProcessor | Self::LockWaits => Unit::Microseconds,
            Self::Allocations => Unit::Allocations,
            Self::SystemCalls => Unit::Calls,
            Self::ContextSwitches => Unit::Switches,
        }
    }

    /// Arguments of `perf record` that make it this profiler, without whom to watch and where to write; none for one
    /// that takes no stacks. Before those of [`Self::Allocations`] stands `-e` with the probes.
    pub const fn record_arguments(self) -> &'static [&'static str] {
        match self {
            // A software clock is there on every machine, also on a virtual one without counters. 997 is a prime:
            // what a server does every millisecond is not always met at the same place.
            Self::OnProcessor => &["-e", "cpu-clock", "-F", "997", "-g"],
            // A sample at each switch (`-c 1`), not a few thousand a second.
            Self::OffProcessor | Self::LockWaits => {
                &["-e", "context-switches", "-c", "1", "--switch-events", "-g"]
            }
            Self::Allocations => &["-c", "11", "-g"],
            Self::SystemCalls | Self::ContextSwitches => &[],
        }
    }

    /// Arguments of `perf script` that print what [`crate::read_events`] reads. Inlined functions are left to the
    /// function that they became a part of: looking them up takes minutes.
    pub fn script_arguments(self) -> Vec<&'static str> {
        let mut arguments = vec!["--no-inline", "-F", FIELDS];
        if self.unit() == Unit::Microseconds {
            arguments.push("--show-switch-events");
        }
        arguments
    }
}

/// Each so-many-th allocation is looked at, so that the recording of a server that makes a million a second can be read
/// in seconds. A prime, for the reason given above; it stands in [`Profiler::record_arguments`] too.
pub const ALLOCATIONS_EACH: u64 = 11;

impl Unit {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Microseconds => "microseconds",
            Self::Allocations => "allocations",
            Self::Calls => "calls",
            Self::Switches => "switches",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_stands_for_as_many_as_are_passed_over() {
        let arguments = Profiler::Allocations.record_arguments();
        assert_eq!(arguments[..2], ["-c", &ALLOCATIONS_EACH.to_string()]);
    }
}
