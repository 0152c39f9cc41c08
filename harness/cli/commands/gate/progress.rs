//! How far a gate is, on standard error.

use indicatif::ProgressBar;
use ringside_contract::{Phase, TripleRecord};
use ringside_run::GateCell;

use crate::output::Output;
use crate::progress::bar;

/// A bar on a terminal, a line for each look elsewhere; failures in any case.
pub(super) struct GateProgress<'a> {
    output: &'a Output,
    bar: ProgressBar,
}

impl<'a> GateProgress<'a> {
    /// Draws only when the options say so.
    pub(super) fn new(output: &'a Output) -> Self {
        let bar = bar(output, "{bar:24} {pos}/{len} triples  {msg}");
        Self { output, bar }
    }

    /// Comparisons that are open go on to so many triples each.
    pub(super) fn look(&self, phase: Phase, open: usize, triples: usize) {
        let what = match phase {
            Phase::First => "to be compared",
            Phase::Confirming => "found slower, to be confirmed in fresh processes",
        };
        self.say(&format!("{open} {what}: on to {triples} triples each"));
        self.bar.set_length((open * triples) as u64);
        self.bar.set_position(0);
    }

    /// A triple ended, the so many-th that counts.
    pub(super) fn triple(&self, cell: &GateCell, record: &TripleRecord, counted: usize) {
        self.bar.inc(1);
        let name = format!("{} on {}", cell.implementation, cell.scenario);
        self.bar.set_message(format!("{name}, {counted}"));
        self.bar.suspend(|| match &record.failed {
            Some(because) => self
                .output
                .warn(&format!("a triple of {name} failed: {because}")),
            None if self.output.verbose => {
                self.output
                    .note(&format!("triple {counted} of {name} measured"));
            }
            None => {}
        });
    }

    fn say(&self, text: &str) {
        if self.output.progress {
            self.bar.suspend(|| self.output.note(text));
        }
    }
}

impl Drop for GateProgress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
