//! Stacks of one server: `perf record` beside the load, `perf script` behind it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use ringside_contract::ProfilerSlowdown;
use ringside_profile::{
    Folded, OffProcessor, OnProcessor, Profiler, lock_waits, read_events, slowdown,
};
use ringside_run::{find_program, tail};

use super::bench::{Bench, Profiled};

/// What a profiler found of a server.
pub(crate) struct Recording {
    /// The stacks; empty when there was not one sample.
    pub(crate) folded: Folded,
    /// What the profiler cost.
    pub(crate) slowdown: Option<ProfilerSlowdown>,
    /// What a reader should know.
    pub(crate) warnings: Vec<String>,
}

impl Bench<'_> {
    /// Takes the stacks of a server under load; `None` when it was interrupted.
    pub(crate) fn record(
        &self,
        profiled: &Profiled<'_>,
        profiler: Profiler,
    ) -> anyhow::Result<Option<Recording>> {
        check_perf()?;
        let command = |ids: &[u32], file: &Path| record_command(profiler, ids, file);
        let Some(blocks) = self.load(profiled, Some(&command))? else {
            return Ok(None);
        };
        let mut folded = Folded::default();
        for file in &blocks.files {
            folded.merge(stacks(profiler, file)?);
        }
        Ok(Some(Recording {
            folded,
            slowdown: slowdown(&blocks.pairs),
            warnings: blocks.warnings,
        }))
    }
}

/// Whether there is a `perf` at all.
fn check_perf() -> anyhow::Result<()> {
    if find_program(PERF).is_none() {
        bail!(
            "perf is not installed; to install it: `apt-get install linux-perf` (Debian), `apt-get install \
             linux-tools-common linux-tools-generic` (Ubuntu), `dnf install perf` (Fedora)"
        );
    }
    Ok(())
}

fn record_command(profiler: Profiler, ids: &[u32], file: &Path) -> Vec<String> {
    // Hashes of all mapped files are not needed (`-B`), and none is to be copied to the user's cache (`-N`).
    let fixed = [PERF, "record", "--quiet", "-B", "-N"];
    let own = profiler.record_arguments();
    let words = fixed.iter().chain(own).map(|&word| word.to_owned());
    words.chain(whom_and_where(ids, file)).collect()
}

/// `-p 7,8 -o FILE`, which all of `perf` understands.
pub(super) fn whom_and_where(ids: &[u32], file: &Path) -> [String; 4] {
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    let file = file.display().to_string();
    ["-p".to_owned(), ids.join(","), "-o".to_owned(), file]
}

/// The stacks of a recording.
fn stacks(profiler: Profiler, file: &Path) -> anyhow::Result<Folded> {
    let failed = || format!("failed to run `perf script` on {}", file.display());
    let log = file.with_extension("stderr");
    let stderr = std::fs::File::create(&log).with_context(failed)?;
    let mut child = Command::new(PERF)
        .arg("script")
        .args(profiler.script_arguments())
        .arg("-i")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .with_context(failed)?;
    let output = child.stdout.take().context("perf script has no output")?;
    let read = fold(profiler, BufReader::new(output));
    let ended = child.wait().with_context(failed)?;
    if !ended.success() {
        bail!("{}: {ended}; it said: {}", failed(), tail(&log));
    }
    read
}

fn fold(profiler: Profiler, output: impl BufRead) -> anyhow::Result<Folded> {
    if profiler == Profiler::OnProcessor {
        let mut on = OnProcessor::default();
        read_events(output, |event| on.take(&event))?;
        return Ok(on.folded());
    }
    let mut off = OffProcessor::default();
    read_events(output, |event| off.take(event))?;
    let waits = off.folded();
    Ok(match profiler {
        Profiler::LockWaits => lock_waits(&waits),
        _ => waits,
    })
}

pub(super) const PERF: &str = "perf";
