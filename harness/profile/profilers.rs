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
}

/// What the weights of stacks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Ticks of a clock.
    Samples,
    /// Time.
    Microseconds,
}

impl Profiler {
    /// All, in the order in which they are told of.
    pub const ALL: [Self; 2] = [Self::OnProcessor, Self::OffProcessor];

    /// Its name, on the command line and in files.
    pub const fn name(self) -> &'static str {
        self.about().0
    }

    /// Name, purpose, what slows the process down, output.
    const fn about(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::OnProcessor => (
                "on-processor",
                "in which functions processor time goes",
                "an interrupt for each of 997 samples a second of processor time",
                "a flame graph, folded stacks in samples",
            ),
            Self::OffProcessor => (
                "off-processor",
                "in which functions threads wait, and how long",
                "two records for each switch of threads: little for a busy loop, much for a thread for each connection",
                "a flame graph, folded stacks in microseconds",
            ),
        }
    }

    /// What is told of it before anybody uses it.
    pub fn words(self) -> ProfilerAbout {
        let (name, purpose, slowdown, output) = self.about();
        ProfilerAbout {
            name: name.to_owned(),
            purpose: purpose.to_owned(),
            slowdown: slowdown.to_owned(),
            output: output.to_owned(),
        }
    }

    /// The unit of its stacks.
    pub const fn unit(self) -> Unit {
        match self {
            Self::OnProcessor => Unit::Samples,
            Self::OffProcessor => Unit::Microseconds,
        }
    }

    /// Arguments of `perf record` that make it this profiler, without whom to watch and where to write.
    pub const fn record_arguments(self) -> &'static [&'static str] {
        match self {
            // A software clock is there on every machine, also on a virtual one without counters. 997 is a prime:
            // what a server does every millisecond is not always met at the same place.
            Self::OnProcessor => &["-e", "cpu-clock", "-F", "997", "-g"],
            // A sample at each switch (`-c 1`), not a few thousand a second.
            Self::OffProcessor => &["-e", "context-switches", "-c", "1", "--switch-events", "-g"],
        }
    }

    /// Arguments of `perf script` that print what [`crate::read_events`] reads. Inlined functions are left to the
    /// function that they became a part of: looking them up takes minutes.
    pub fn script_arguments(self) -> Vec<&'static str> {
        let mut arguments = vec!["--no-inline", "-F", FIELDS];
        if self == Self::OffProcessor {
            arguments.push("--show-switch-events");
        }
        arguments
    }
}

impl Unit {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Microseconds => "microseconds",
        }
    }
}
