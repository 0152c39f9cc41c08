//! The triples of one case under one condition, in a folder of their own. A recording goes on where it was, as
//! long as the builds are the same.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ringside_contract::{
    GATE_SCHEMA, Host, ImplementationSpec, Placement, ScenarioSpec, TripleRecord,
};
use ringside_run::{TripleLog, TurnLengths};
use serde::{Deserialize, Serialize};

use super::case::{Condition, Heads};
use super::triples::{Bench, Head};
use crate::files::{of_schema, write_whole};

/// What was recorded, beside the triples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) schema: u32,
    /// The case.
    pub(super) case: String,
    /// The condition.
    pub(super) condition: String,
    /// The scenario.
    pub(super) scenario: ScenarioSpec,
    /// The implementation.
    pub(super) implementation: ImplementationSpec,
    /// Commit of the builds.
    pub(super) commit: String,
    /// Hashes of the builds: base, and null builds by label.
    pub(super) builds: Vec<(String, String)>,
    /// Heads: label, planted per cent, millionths an operation.
    pub(super) heads: Vec<PlantedHead>,
    /// How turns were taken.
    pub(super) turns: TurnLengths,
    /// The machine.
    pub(super) host: Host,
    /// Who ran where.
    pub(super) placement: Placement,
}

/// One server beside base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlantedHead {
    /// Its name in the records.
    pub(super) label: String,
    /// How much slower it should be, in per cent.
    pub(super) percent: u64,
    /// Millionths of what is planted, for each operation.
    pub(super) units: u64,
}

/// A folder that is being written.
pub(super) struct Recording {
    log: TripleLog,
    /// Triples that are in it.
    pub(super) records: Vec<TripleRecord>,
}

impl Recording {
    /// Where a case is recorded.
    pub(super) fn folder(out: &Path, case: &str, condition: Condition, heads: Heads) -> PathBuf {
        out.join(format!("{case}-{}{}", condition.name(), heads.suffix()))
    }

    /// What an earlier recording wrote down, if there is one.
    pub(super) fn earlier(folder: &Path) -> anyhow::Result<Option<About>> {
        let path = folder.join(ABOUT);
        if !path.exists() {
            return Ok(None);
        }
        let text =
            std::fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let remedy = "move its folder away";
        let about = of_schema(GATE_SCHEMA, &text, &path, remedy)?;
        Ok(Some(about))
    }

    /// What an earlier recording wrote down of the same builds, if there is one.
    ///
    /// # Errors
    /// It was recorded with other ones.
    pub(super) fn earlier_of(
        folder: &Path,
        builds: &[(String, String)],
    ) -> anyhow::Result<Option<About>> {
        let earlier = Self::earlier(folder)?;
        if let Some(about) = &earlier
            && about.builds != builds
        {
            bail!(
                "{} was recorded with other builds (of {}); go on with those, or move it away",
                folder.display(),
                about.commit
            );
        }
        Ok(earlier)
    }

    /// Opens the folder, or makes it and writes `about` down.
    pub(super) fn open(folder: &Path, about: &About) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
        write_whole(&folder.join(ABOUT), &serde_json::to_vec_pretty(about)?)?;
        let (log, records) = TripleLog::open(&folder.join("triples.jsonl"))?;
        Ok(Self { log, records })
    }

    /// Measures and appends one more triple; false when it was interrupted.
    pub(super) fn extend(
        &mut self,
        bench: &Bench<'_>,
        all: &[Head],
        heads: Heads,
    ) -> anyhow::Result<bool> {
        let number = self.records.last().map_or(0, |record| record.number + 1);
        let of_triple = match heads {
            Heads::All => all,
            Heads::OneUnchanged => {
                let place = number as usize % all.len().max(1);
                all.get(place..=place).unwrap_or(all)
            }
        };
        let Some(record) = bench.triple(of_triple, number) else {
            return Ok(false);
        };
        self.log.append(&record)?;
        self.records.push(record);
        Ok(true)
    }

    /// Triples that were measured to their end.
    pub(super) fn measured(&self) -> usize {
        let whole = self.records.iter().filter(|record| record.failed.is_none());
        whole.count()
    }
}

const ABOUT: &str = "recording.json";
