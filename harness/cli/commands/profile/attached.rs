//! Profiles of the cells of a run, which its report links to. They are taken behind all of its measurements.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use ringside_contract::{ImplementationSpec, ProfiledSide, RunRecord, ScenarioSpec, Status};
use ringside_profile::Profiler;
use ringside_run::now_s;

use super::bench::takes;
use super::outcome::{self, ProfileFolder};
use super::request::{Request, Wanted};
use super::take_all;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress::minutes;
use crate::session::Session;

/// Both halves of a server's time.
const PROFILERS: [Profiler; 2] = [Profiler::OnProcessor, Profiler::OffProcessor];

/// Profiles every cell that the run in `folder` measured, each into a folder of its own and each profiler for so many
/// seconds; false when it was interrupted. A cell that cannot be profiled is told of, and loses nothing but its profile.
///
/// # Errors
/// The records cannot be read.
pub(crate) fn attach(
    session: &Session,
    folder: &Path,
    seconds: u64,
    output: &Output,
) -> anyhow::Result<bool> {
    let read = ringside_judge::read_records(&folder.join("records.jsonl"))?;
    let cells = measured(&read.records);
    let in_all = takes(seconds) * PROFILERS.len() as u64 * cells.len() as u64;
    output.note(&format!(
        "profiles of {} cells, about {}; --filter chooses fewer",
        cells.len(),
        minutes(Duration::from_secs(in_all))
    ));
    for (implementation, scenario) in cells {
        let wanted = Wanted {
            implementation: &implementation.to_string(),
            diff: None,
            scenario: &scenario.to_string(),
            side: ProfiledSide::Server,
            profilers: PROFILERS.to_vec(),
            seconds,
            seed: 1,
        };
        let name = folder_name(implementation, scenario);
        match one(session, &wanted, folder, &name, output) {
            Ok(Exit::Interrupted) => return Ok(false),
            Ok(_) => {}
            Err(error) => output.warn(&format!(
                "no profile of {implementation} in {scenario}, or not the whole: {error:#}"
            )),
        }
    }
    Ok(true)
}

/// Each measured cell once, in the order in which they were measured first.
fn measured(records: &[RunRecord]) -> Vec<(&ImplementationSpec, &ScenarioSpec)> {
    let mut cells = Vec::new();
    for record in records {
        let cell = (&record.implementation, &record.scenario);
        if matches!(record.status, Status::Completed) && !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells
}

fn one(
    session: &Session,
    wanted: &Wanted<'_>,
    folder: &Path,
    name: &str,
    output: &Output,
) -> anyhow::Result<Exit> {
    let scratch = tempfile::tempdir().context("failed to make a temporary folder")?;
    let request = Request::new(wanted, session, scratch.path())?;
    let began_at = now_s();
    let own = ProfileFolder::of_cell(folder, name)?;
    let (found, ended) = take_all(&request, session, scratch.path(), &own, output);
    if !found.profiles.is_empty() {
        outcome::write(&found.report(&request, session, began_at), own.path())?;
    }
    ended
}

/// A name that any file system and any link stands.
pub(crate) fn folder_name(implementation: &ImplementationSpec, scenario: &ScenarioSpec) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let name = format!("{implementation}-{scenario}");
    name.chars().map(plain).collect()
}
