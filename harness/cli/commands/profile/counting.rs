//! What is counted of one server: its system calls by name, and its switches off the processor.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use ringside_contract::{Measures, ProfileFigure, ProfilerSlowdown};
use ringside_profile::{SystemCalls, slowdown};
use ringside_run::find_program;

use super::bench::{Bench, Profiled};
use super::recording::{PERF, whom_and_where};

/// What was counted.
pub(super) struct Count {
    /// All together.
    pub(super) total: u64,
    /// The most frequent first.
    pub(super) figures: Vec<ProfileFigure>,
    /// What counting cost; `None` where nothing was attached.
    pub(super) slowdown: Option<ProfilerSlowdown>,
    /// What a reader should know of the figures.
    pub(super) remarks: Vec<String>,
    /// What a reader should know of the server.
    pub(super) warnings: Vec<String>,
}

impl Bench<'_> {
    /// Counts system calls by name; `None` when it was interrupted.
    pub(super) fn system_calls(&self, profiled: &Profiled<'_>) -> anyhow::Result<Option<Count>> {
        let tracer = Tracer::find(self.tmp)?;
        let command = |ids: &[u32], file: &Path| tracer.command(ids, file);
        let Some(blocks) = self.load(profiled, Some(&command))? else {
            return Ok(None);
        };
        let mut calls = SystemCalls::default();
        for file in &blocks.files {
            let text = std::fs::read_to_string(file);
            calls.add(&text.with_context(|| format!("failed to read {}", file.display()))?);
        }
        let in_all = blocks
            .bare
            .iter()
            .filter_map(|measures| self.watched(measures)?.syscalls_per_op);
        let in_all: Vec<f64> = in_all.collect();
        let mean = (!in_all.is_empty()).then(|| in_all.iter().sum::<f64>() / in_all.len() as f64);
        let mut remarks = vec![tracer.words().to_owned()];
        if mean.is_none() {
            remarks.push(
                "how many calls an operation makes in all could not be counted: these are shares"
                    .to_owned(),
            );
        }
        Ok(Some(Count {
            total: calls.total(),
            figures: calls.figures(mean),
            slowdown: slowdown(&blocks.pairs),
            remarks,
            warnings: blocks.warnings,
        }))
    }

    /// Counts how often threads leave the processor; `None` when it was interrupted.
    pub(super) fn context_switches(
        &self,
        profiled: &Profiled<'_>,
    ) -> anyhow::Result<Option<Count>> {
        let Some(blocks) = self.load(profiled, None)? else {
            return Ok(None);
        };
        let sum = |of: &dyn Fn(&Measures) -> u64| blocks.bare.iter().map(of).sum::<u64>();
        let operations = sum(&|measures| measures.operations).max(1);
        let side = |measures: &Measures| self.watched(measures).cloned().unwrap_or_default();
        let voluntary = sum(&|measures| side(measures).context_switches_voluntary);
        let involuntary = sum(&|measures| side(measures).context_switches_involuntary);
        let figure = |name: &str, count: u64| ProfileFigure {
            name: name.to_owned(),
            value: count as f64 / operations as f64,
            unit: "switches/op".to_owned(),
        };
        Ok(Some(Count {
            total: voluntary + involuntary,
            figures: vec![
                figure("because a thread waits (voluntary)", voluntary),
                figure(
                    "because the processor is taken away (involuntary)",
                    involuntary,
                ),
            ],
            slowdown: None,
            remarks: Vec::new(),
            warnings: blocks.warnings,
        }))
    }
}

/// What counts system calls by name here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracer {
    Perf,
    Strace,
}

impl Tracer {
    /// `perf trace` where the kernel lets it, as it costs a fraction of what `strace` does.
    fn find(tmp: &Path) -> anyhow::Result<Self> {
        let tried = Command::new(PERF)
            .args(["trace", "-s", "-o"])
            .arg(tmp.join("trial"))
            .arg("true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if tried.is_ok_and(|status| status.success()) {
            return Ok(Self::Perf);
        }
        if find_program("strace").is_some() {
            return Ok(Self::Strace);
        }
        bail!(
            "system calls cannot be counted by name: `perf trace` is not there or is refused (as root it works, and \
             with `sysctl kernel.perf_event_paranoid=-1` where tracefs may be read), and strace is not installed; to \
             install it: `apt-get install strace`"
        );
    }

    fn command(self, ids: &[u32], file: &Path) -> Vec<String> {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        match self {
            Self::Perf => [
                &words(&[PERF, "trace", "-s"])[..],
                &whom_and_where(ids, file),
            ]
            .concat(),
            Self::Strace => {
                let file = file.display().to_string();
                let whom = ids.iter().flat_map(|id| ["-p".to_owned(), id.to_string()]);
                let fixed = words(&["strace", "-c", "-f", "-q", "-o", &file]);
                fixed.into_iter().chain(whom).collect()
            }
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Perf => "counted by perf trace",
            Self::Strace => "counted by strace, which stops the process twice for each call",
        }
    }
}
