//! A server that samples itself: flame graphs where there is no `perf`. A timer of processor time interrupts whatever
//! thread runs, and that thread walks its own stack by the frame pointers, which this project's builds keep. The kernel
//! is not seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use pprof::{Frames, ProfilerGuard, ProfilerGuardBuilder};

use crate::files::write_whole;

/// Samples this process until it is told to end.
pub(crate) struct Sampler {
    guard: ProfilerGuard<'static>,
    file: PathBuf,
}

impl Sampler {
    /// Begins; the stacks are to go into `file`.
    ///
    /// # Errors
    /// The timer cannot be set.
    pub(crate) fn start(file: &Path) -> anyhow::Result<Self> {
        let guard = ProfilerGuardBuilder::default()
            .frequency(PER_SECOND)
            .build()
            .map_err(|error| anyhow!("failed to sample this process: {error}"))?;
        Ok(Self {
            guard,
            file: file.to_owned(),
        })
    }

    /// Writes the stacks, folded.
    ///
    /// # Errors
    /// There are none, or the file cannot be written.
    pub(crate) fn end(self) -> anyhow::Result<()> {
        let report = self.guard.report().build();
        let report = report.map_err(|error| anyhow!("failed to read the samples: {error}"))?;
        let mut stacks: BTreeMap<String, isize> = BTreeMap::new();
        for (frames, count) in report.data {
            *stacks.entry(folded(&frames)).or_default() += count;
        }
        let lines = stacks
            .iter()
            .map(|(stack, count)| format!("{stack} {count}\n"));
        write_whole(&self.file, lines.collect::<String>().as_bytes())
            .context("failed to write the samples")
    }
}

/// `thread;outer;inner`; the frames come innermost first, and each with what was inlined into it.
fn folded(frames: &Frames) -> String {
    let mut line = frames.thread_name.replace([';', '\n'], ":");
    for symbol in frames.frames.iter().rev().flat_map(|one| one.iter().rev()) {
        line.push(';');
        line.push_str(&symbol.name().replace([';', '\n'], ":"));
    }
    line
}

/// Samples of a second of processor time, as many as `perf` is asked for; a kernel may tick less often.
const PER_SECOND: i32 = 997;
