//! Stacks of one server: `perf record` beside the load, `perf script` behind it. Without `perf`, a server of ours
//! samples itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use ringside_contract::{ProfiledSide, ProfilerSlowdown};
use ringside_metal::AllocationProbe;
use ringside_profile::{
    ALLOCATIONS_EACH, Folded, OffProcessor, Profiler, Sampled, lock_waits, read_events, remarks,
    remarks_of_itself, slowdown,
};
use ringside_run::{find_program, tail};

use super::bench::{Bench, Profiled};

/// What a profiler found of a server.
pub(crate) struct Recording {
    /// The stacks; empty when there was not one sample.
    pub(crate) folded: Folded,
    /// What the profiler cost.
    pub(crate) slowdown: Option<ProfilerSlowdown>,
    /// What a reader should know of the stacks.
    pub(crate) remarks: Vec<String>,
    /// What a reader should know of the server.
    pub(crate) warnings: Vec<String>,
}

impl Bench<'_> {
    /// Takes the stacks of a server under load; `None` when it was interrupted.
    pub(crate) fn record(
        &self,
        profiled: &Profiled<'_>,
        profiler: Profiler,
    ) -> anyhow::Result<Option<Recording>> {
        if find_program(PERF).is_none() {
            return self.record_itself(profiled, profiler);
        }
        let probe = (profiler == Profiler::Allocations)
            .then(AllocationProbe::install)
            .transpose()?;
        let event = probe.as_ref().map(AllocationProbe::event);
        let command =
            |ids: &[u32], file: &Path| record_command(profiler, event.as_deref(), ids, file);
        let Some(blocks) = self.load(profiled, Some(&command))? else {
            return Ok(None);
        };
        let mut folded = Folded::default();
        for file in &blocks.files {
            folded.merge(stacks(profiler, file)?);
        }
        Ok(Some(Recording {
            remarks: remarks(profiler, &folded),
            folded,
            slowdown: slowdown(&blocks.pairs),
            warnings: blocks.warnings,
        }))
    }

    /// The same by a server that samples itself, beside another one that does not.
    fn record_itself(
        &self,
        profiled: &Profiled<'_>,
        profiler: Profiler,
    ) -> anyhow::Result<Option<Recording>> {
        self.check_itself(profiled, profiler)?;
        let Some(bare) = self.load(profiled, None)? else {
            return Ok(None);
        };
        let file = self.tmp.join("itself.folded");
        let sampling = Profiled {
            sample: Some(&file),
            ..profiled.clone()
        };
        let Some(sampled) = self.load(&sampling, None)? else {
            return Ok(None);
        };
        let failed = || format!("failed to read what {} wrote of itself", profiled.name);
        let text = std::fs::read_to_string(&file).with_context(|| {
            // A server that was killed has not written; the warning says so.
            format!("{} {}", failed(), sampled.warnings.join("; "))
        })?;
        let folded: Folded = text.parse().with_context(failed)?;
        let rates = bare.bare.iter().zip(&sampled.bare);
        let pairs: Vec<_> = rates
            .map(|(bare, sampled)| (self.rate(bare), self.rate(sampled)))
            .collect();
        let mut remarks = remarks_of_itself(&folded);
        remarks.push(format!(
            "perf is not installed, so that the server sampled itself: functions of the kernel are left out, and \
             their time is that of their callers. {INSTALL}"
        ));
        Ok(Some(Recording {
            remarks,
            folded,
            slowdown: slowdown(&pairs),
            warnings: sampled.warnings,
        }))
    }

    /// Whether that is possible.
    fn check_itself(&self, profiled: &Profiled<'_>, profiler: Profiler) -> anyhow::Result<()> {
        let because = if profiler != Profiler::OnProcessor {
            "without it only --kind on-processor is possible"
        } else if self.side != ProfiledSide::Server {
            "without it only --side server is possible"
        } else if profiled.subject.candidate.manifest().is_some() {
            "an outside program cannot be asked to sample itself"
        } else {
            return Ok(());
        };
        bail!("perf is not installed, and {because}. {INSTALL}")
    }
}

/// How to get `perf`.
const INSTALL: &str = "To install it: `apt-get install linux-perf` (Debian), `apt-get install linux-tools-common \
                       linux-tools-generic` (Ubuntu), `dnf install perf` (Fedora)";

/// `event` is what is looked at where the profiler's own arguments do not say so.
fn record_command(
    profiler: Profiler,
    event: Option<&str>,
    ids: &[u32],
    file: &Path,
) -> Vec<String> {
    // Hashes of all mapped files are not needed (`-B`), and none is to be copied to the user's cache (`-N`).
    let fixed = [PERF, "record", "--quiet", "-B", "-N"];
    let event = event.map(|event| ["-e", event]);
    let own = event.as_slice().as_flattened().iter();
    let own = own.chain(profiler.record_arguments());
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
    match profiler {
        Profiler::OnProcessor => sampled(1, output),
        Profiler::Allocations => sampled(ALLOCATIONS_EACH, output),
        _ => waits(profiler, output),
    }
}

fn sampled(each: u64, output: impl BufRead) -> anyhow::Result<Folded> {
    let mut sampled = Sampled::each(each);
    read_events(output, |event| sampled.take(&event))?;
    Ok(sampled.folded())
}

fn waits(profiler: Profiler, output: impl BufRead) -> anyhow::Result<Folded> {
    let mut off = OffProcessor::default();
    read_events(output, |event| off.take(event))?;
    let waits = off.folded();
    Ok(match profiler {
        Profiler::LockWaits => lock_waits(&waits),
        _ => waits,
    })
}

pub(super) const PERF: &str = "perf";
