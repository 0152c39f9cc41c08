//! What a run tells while it goes on.

use std::path::Path;
use std::time::Duration;

use ringside_contract::{ImplementationSpec, RunRecord, ScenarioSpec};

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run's folder is there.
    RunStarted {
        /// Its name.
        run: &'a str,
        /// Its folder.
        folder: &'a Path,
        /// Blocks that will run now, skips included.
        blocks: usize,
    },
    /// The conformance cases of an implementation are being run.
    Qualifying {
        /// The implementation.
        implementation: &'a ImplementationSpec,
    },
    /// A block begins.
    BlockStarted {
        /// Blocks that ended before it.
        ended: usize,
        /// All blocks.
        blocks: usize,
        /// Its scenario.
        scenario: &'a ScenarioSpec,
        /// Its implementation.
        implementation: &'a ImplementationSpec,
        /// Its round, from 0.
        round: u32,
        /// The time that the rest will take, this block included.
        left: Duration,
    },
    /// A block ended; how it ended is in its record, which is on disk.
    BlockEnded {
        /// The record.
        record: &'a RunRecord,
    },
    /// Something that a user should know and that ends nothing.
    Warning {
        /// A sentence.
        sentence: &'a str,
    },
}

/// Whoever watches a run.
pub trait Observer {
    /// Takes note of an event.
    fn event(&mut self, event: &Event<'_>);
}

/// Watches in silence.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: &Event<'_>) {}
}
