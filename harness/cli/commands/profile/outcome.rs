//! What a profile leaves behind: a page, a file for programs, and a few lines.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_contract::{
    PROFILE_SCHEMA, Profile, ProfileDifference, ProfileReport, ProfiledSubject,
};
use ringside_profile::{Profiler, shares};
use ringside_run::new_folder;

use super::counting::Count;
use super::drawing::{Change, FUNCTIONS, GraphFiles};
use super::recording::Recording;
use super::request::Request;
use crate::commands::report::{PROFILE, PROFILES};
use crate::files::write_whole;
use crate::session::Session;

/// The folder of a profile. When it is dropped without anything in it, it is removed.
pub(super) struct ProfileFolder(PathBuf);

impl ProfileFolder {
    /// Makes it below `out`, named after the time and the implementation.
    pub(super) fn create(
        out: &Path,
        subject: &ProfiledSubject,
        now_s: u64,
    ) -> anyhow::Result<Self> {
        let id = &subject.implementation.id;
        let name = format!("{}-{}", id.family, id.name);
        let (_, folder) = new_folder(&out.join(PROFILES), &name, now_s)?;
        Ok(Self(folder))
    }

    /// Makes the one of a cell in the folder of a run.
    pub(super) fn of_cell(run: &Path, name: &str) -> anyhow::Result<Self> {
        let folder = run.join(PROFILES).join(name);
        fs::create_dir_all(&folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A file of it, as the report names it.
    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.0)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

impl Drop for ProfileFolder {
    fn drop(&mut self) {
        // The system removes empty folders only.
        let _ = fs::remove_dir(&self.0);
    }
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    pub(super) profiles: Vec<Profile>,
    pub(super) differences: Vec<ProfileDifference>,
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// Adds what a profiler found of one server.
    pub(super) fn add(
        &mut self,
        folder: &ProfileFolder,
        profiler: Profiler,
        subject: usize,
        recording: Recording,
        files: &GraphFiles,
    ) {
        self.warn(recording.warnings);
        self.profiles.push(Profile {
            profiler: profiler.name().to_owned(),
            subject,
            total: recording.folded.total(),
            unit: profiler.unit().name().to_owned(),
            slowdown: recording.slowdown,
            folded: Some(folder.relative(&files.folded)),
            graph: Some(folder.relative(&files.graph)),
            figures: shares(&recording.folded, FUNCTIONS),
            remarks: recording.remarks,
        });
    }

    /// Adds what was counted of one server.
    pub(super) fn add_count(&mut self, profiler: Profiler, subject: usize, count: Count) {
        self.warn(count.warnings);
        self.profiles.push(Profile {
            profiler: profiler.name().to_owned(),
            subject,
            total: count.total,
            unit: profiler.unit().name().to_owned(),
            slowdown: count.slowdown,
            folded: None,
            graph: None,
            figures: count.figures,
            remarks: count.remarks,
        });
    }

    /// Each warning is told once, however many servers gave it.
    fn warn(&mut self, warnings: Vec<String>) {
        for warning in warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
    }

    /// Adds what changed from the second subject to the first one.
    pub(super) fn add_change(
        &mut self,
        folder: &ProfileFolder,
        profiler: Profiler,
        change: Change,
    ) {
        let [before, after] = change.recordings;
        self.add(folder, profiler, 0, after, &change.files[1]);
        self.add(folder, profiler, 1, before, &change.files[0]);
        self.differences.push(ProfileDifference {
            profiler: profiler.name().to_owned(),
            graph_after: folder.relative(&change.graph_after),
            graph_before: folder.relative(&change.graph_before),
            changes: change.functions,
        });
    }

    /// All of it, with what it was found by.
    pub(super) fn report(
        self,
        request: &Request,
        session: &Session,
        began_at: u64,
    ) -> ProfileReport {
        ProfileReport {
            schema: PROFILE_SCHEMA,
            began_at,
            scenario: request.scenario.clone(),
            side: request.side,
            seconds: request.seconds as f64,
            host: session.host.clone(),
            placement: session.placement.clone(),
            subjects: request
                .targets
                .iter()
                .map(|target| target.about.clone())
                .collect(),
            profilers: request
                .profilers
                .iter()
                .map(|profiler| profiler.words())
                .collect(),
            profiles: self.profiles,
            differences: self.differences,
            warnings: self.warnings,
        }
    }
}

/// Writes the page and the file for programs into `folder`; gives the page's path.
pub(super) fn write(report: &ProfileReport, folder: &Path) -> anyhow::Result<PathBuf> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))
    };
    let graphs = report
        .profiles
        .iter()
        .filter_map(|profile| profile.graph.clone());
    let changes = report.differences.iter();
    let changes = changes.flat_map(|one| [one.graph_after.clone(), one.graph_before.clone()]);
    let mut images = Vec::new();
    for name in graphs.chain(changes) {
        let image = read(&name)?;
        images.push((name, image));
    }
    let page = ringside_reports::profile_page(report, &images);
    write_whole(&folder.join(PROFILE), &serde_json::to_vec_pretty(report)?)?;
    let path = folder.join("index.html");
    write_whole(&path, page.as_bytes())?;
    Ok(path)
}
