//! Progress of a run on standard error: a bar on a terminal, warnings and failures in any case.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ringside_contract::{RunRecord, Status};
use ringside_run::{Event, Observer};

use crate::output::Output;

/// Watches a run.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    bar: ProgressBar,
    /// A line for each block where a bar cannot be drawn: on a pipe or in a file.
    lines: bool,
    skipped: Vec<String>,
}

impl<'a> Progress<'a> {
    /// Draws only when the options say so.
    pub(crate) fn new(output: &'a Output) -> Self {
        let bar = bar(output, "{bar:24} {pos}/{len} blocks, {prefix} left  {msg}");
        Self {
            output,
            bar,
            lines: output.progress && !std::io::stderr().is_terminal(),
            skipped: Vec::new(),
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| self.output.warn(text));
    }

    fn ended(&mut self, record: &RunRecord) {
        let cell = format!("{} on {}", record.implementation, record.scenario);
        match &record.status {
            Status::Completed => {
                if self.output.verbose {
                    self.bar.suspend(|| {
                        self.output
                            .note(&format!("{cell}: round {} measured", record.round));
                    });
                }
            }
            Status::Failed { because, stderr } => {
                let said = if stderr.trim().is_empty() {
                    "nothing"
                } else {
                    stderr.trim()
                };
                self.say(&format!(
                    "{cell} failed: {because}; its standard error says: {said}"
                ));
            }
            Status::Disqualified { because, stderr } => {
                let said = match stderr.trim() {
                    "" => String::new(),
                    said => format!("; its standard error says: {said}"),
                };
                self.say(&format!(
                    "{cell} is not timed, it failed its conformance cases: {because}{said}"
                ));
            }
            Status::Skipped { reason } => {
                if !self.skipped.contains(&cell) {
                    if self.output.verbose {
                        self.bar
                            .suspend(|| self.output.note(&format!("{cell} skipped: {reason}")));
                    }
                    self.skipped.push(cell);
                }
            }
        }
    }
}

impl Observer for Progress<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::RunStarted { blocks, .. } => self.bar.set_length(*blocks as u64),
            Event::Qualifying { implementation } => {
                self.bar
                    .set_message(format!("conformance of {implementation}"));
            }
            Event::BlockStarted {
                ended,
                blocks,
                scenario,
                implementation,
                round,
                left,
            } => {
                self.bar.set_length(*blocks as u64);
                self.bar.set_position(*ended as u64);
                self.bar.set_prefix(minutes(*left));
                let what = format!("{implementation} on {scenario}, round {}", round + 1);
                if self.lines {
                    let left = minutes(*left);
                    self.output
                        .note(&format!("{ended}/{blocks} blocks, {left} left  {what}"));
                }
                self.bar.set_message(what);
            }
            Event::BlockEnded { record } => self.ended(record),
            Event::Warning { sentence } => self.say(sentence),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar of this form on a terminal; elsewhere one that nobody sees.
pub(crate) fn bar(output: &Output, template: &str) -> ProgressBar {
    let target = if output.progress && std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// `2 min 05 s`.
pub(crate) fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}
