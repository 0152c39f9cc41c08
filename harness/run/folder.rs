//! A run's folder, `reports/runs/<id>/`: the plan, the records and the logs. Records are appended one
//! by one and never edited; what is in the file is safe whatever happens next.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ringside_contract::{Plan, RunRecord, SCHEMA};
use serde::Deserialize;

use crate::error::RunError;
use crate::json_lines::{JsonLines, OpenError};
use crate::manifest::{Manifest, StoredManifest};

/// The manifests of the outside programs that the plan names.
const PROGRAMS: &str = "programs.json";

/// Names one block within a run.
pub(crate) type BlockKey = (u32, u32, String, String, u8);

/// The folder of a run that is being written.
#[derive(Debug)]
pub(crate) struct RunFolder {
    /// `reports/runs/<id>`.
    pub(crate) path: PathBuf,
    /// `<id>`.
    pub(crate) run: String,
    records: JsonLines,
    /// Blocks that have a record.
    pub(crate) done: BTreeSet<BlockKey>,
}

impl RunFolder {
    /// Makes a new folder below `reports/runs` and writes the plan into it, with the manifests that it
    /// needs.
    pub(crate) fn create(
        reports: &Path,
        plan: &Plan,
        programs: &[StoredManifest],
        now_s: u64,
    ) -> Result<Self, RunError> {
        let (run, path) = new_folder(&reports.join("runs"), &plan.name, now_s)?;
        if let Err(error) = begin(&path, plan, programs) {
            // Without its plan it could neither be judged nor gone on with.
            let _ = fs::remove_dir_all(&path);
            return Err(error);
        }
        let mut folder = Self::open(path, run)?;
        folder.done.clear();
        Ok(folder)
    }

    /// Opens the folder of a run that did not finish. A last line that was torn by a crash is cut off.
    pub(crate) fn resume(path: &Path) -> Result<(Self, Plan), RunError> {
        let refuse = |because: String| RunError::NotResumable {
            path: path.to_owned(),
            because,
        };
        let path = fs::canonicalize(path).map_err(|error| refuse(error.to_string()))?;
        let text = fs::read(path.join("plan.json"))
            .map_err(|error| refuse(format!("its plan.json cannot be read ({error})")))?;
        let plan: Plan = serde_json::from_slice(&text)
            .map_err(|error| refuse(format!("its plan.json is broken ({error})")))?;
        if plan.schema != SCHEMA {
            return Err(refuse(format!(
                "its plan has schema {}, this build knows {SCHEMA}",
                plan.schema
            )));
        }
        let run = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let logs = path.join("log");
        fs::create_dir_all(&logs).map_err(|e| RunError::file("create", &logs, &path, e))?;
        Ok((Self::open(path, run)?, plan))
    }

    fn open(path: PathBuf, run: String) -> Result<Self, RunError> {
        let file_path = path.join("records.jsonl");
        let refuse = |because: String| RunError::NotResumable {
            path: file_path.clone(),
            because,
        };
        let (records, text) = JsonLines::open(&file_path).map_err(|error| match error {
            OpenError::Taken => RunError::NotResumable {
                path: path.clone(),
                because: "a run is still going on in it; wait for its end, or end it with SIGINT"
                    .to_owned(),
            },
            OpenError::System(step, error) => RunError::file(step, &file_path, &path, error),
        })?;
        let done = read_keys(&text).map_err(refuse)?;
        Ok(Self {
            path,
            run,
            records,
            done,
        })
    }

    /// Appends a record and waits until it is on disk. When that fails, the file keeps whole lines only.
    pub(crate) fn append(&mut self, record: &RunRecord) -> Result<(), RunError> {
        let path = self.path.join("records.jsonl");
        self.records
            .append(record)
            .map_err(|error| RunError::file("write", &path, &self.path, error))?;
        self.done.insert(key(record));
        Ok(())
    }

    /// The last record, where there is one.
    pub(crate) fn last_record(&self) -> Result<Option<RunRecord>, RunError> {
        let path = self.path.join("records.jsonl");
        let text = fs::read_to_string(&path)
            .map_err(|error| RunError::file("read", &path, &self.path, error))?;
        let last = text.lines().next_back().map(serde_json::from_str);
        last.transpose().map_err(|error| RunError::NotResumable {
            path,
            because: format!("its last record is broken ({error})"),
        })
    }

    /// Points `reports/latest` at this run.
    pub(crate) fn point_latest(&self, reports: &Path) -> io::Result<()> {
        let temporary = reports.join(format!(".latest-{}", std::process::id()));
        let _ = fs::remove_file(&temporary);
        std::os::unix::fs::symlink(Path::new("runs").join(&self.run), &temporary)?;
        fs::rename(&temporary, reports.join("latest"))
    }
}

/// Puts into a new folder what a run needs to be gone on with.
fn begin(path: &Path, plan: &Plan, programs: &[StoredManifest]) -> Result<(), RunError> {
    let logs = path.join("log");
    fs::create_dir(&logs).map_err(|e| RunError::before_run("create", &logs, e))?;
    let write = |name: &str, text: serde_json::Result<Vec<u8>>| {
        let place = path.join(name);
        let written = text.map_err(io::Error::other);
        written
            .and_then(|text| write_whole(&place, &text))
            .map_err(|e| RunError::before_run("write", &place, e))
    };
    if !programs.is_empty() {
        write(PROGRAMS, serde_json::to_vec_pretty(programs))?;
    }
    // Last: a folder with a plan has all that it needs.
    write("plan.json", serde_json::to_vec_pretty(plan))
}

/// The outside programs of the run in `folder`, as they were when it began.
///
/// # Errors
/// [`RunError::NotResumable`] when what the folder keeps cannot be read.
pub fn stored_programs(folder: &Path) -> Result<Vec<Manifest>, RunError> {
    let path = folder.join(PROGRAMS);
    let refuse = |because: String| RunError::NotResumable {
        path: folder.to_owned(),
        because: format!("its {PROGRAMS} {because}; start a new run"),
    };
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refuse(format!("cannot be read ({error})"))),
    };
    let stored: Vec<StoredManifest> =
        serde_json::from_slice(&text).map_err(|error| refuse(format!("is broken ({error})")))?;
    let programs = stored.iter().map(Manifest::restore);
    programs
        .collect::<Result<_, _>>()
        .map_err(|error| refuse(format!("is not understood ({error})")))
}

/// Writes a file beside its place and renames it: it is there in full or not at all.
fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// The name of a record's block.
pub(crate) fn key(record: &RunRecord) -> BlockKey {
    (
        record.group,
        record.round,
        record.scenario.to_string(),
        record.implementation.to_string(),
        record.replica,
    )
}

/// Makes a folder in `parent` that is named by the time and `name`, and gives its name and its absolute path.
///
/// # Errors
/// [`RunError::DiskFull`] or [`RunError::File`] when it cannot be made.
pub fn new_folder(parent: &Path, name: &str, now_s: u64) -> Result<(String, PathBuf), RunError> {
    fs::create_dir_all(parent).map_err(|e| RunError::before_run("create", parent, e))?;
    let stem = format!("{}-{name}", timestamp(now_s));
    let (name, path) = unused_folder(parent, &stem)?;
    // Outside programs run in folders of their own, where a relative path means another place.
    let path = fs::canonicalize(&path).map_err(|e| RunError::before_run("find", &path, e))?;
    Ok((name, path))
}

fn unused_folder(runs: &Path, stem: &str) -> Result<(String, PathBuf), RunError> {
    let mut number = 1;
    loop {
        let run = if number == 1 {
            stem.to_owned()
        } else {
            format!("{stem}-{number}")
        };
        let path = runs.join(&run);
        match fs::create_dir(&path) {
            Ok(()) => return Ok((run, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(RunError::before_run("create", &path, error)),
        }
    }
}

/// What resuming needs of a record.
#[derive(Deserialize)]
struct RecordHead {
    schema: u32,
    group: u32,
    round: u32,
    scenario: String,
    implementation: String,
    replica: u8,
}

fn read_keys(text: &[u8]) -> Result<BTreeSet<BlockKey>, String> {
    let mut keys = BTreeSet::new();
    for (index, line) in text
        .split(|&byte| byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let head: RecordHead = serde_json::from_slice(line)
            .map_err(|error| format!("line {} is broken: {error}", index + 1))?;
        if head.schema != SCHEMA {
            return Err(format!(
                "line {} has schema {}, this build knows {SCHEMA}",
                index + 1,
                head.schema
            ));
        }
        let RecordHead { group, round, .. } = head;
        keys.insert((
            group,
            round,
            head.scenario,
            head.implementation,
            head.replica,
        ));
    }
    Ok(keys)
}

/// `20260131-235959` in UTC.
fn timestamp(now_s: u64) -> String {
    let (days, second) = (now_s / 86_400, now_s % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Year, month and day of a number of days since 1970-01-01. Counts in eras of 400 years that begin on
/// 1 March, so that the leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{plan, record};

    fn create(reports: &Path) -> RunFolder {
        RunFolder::create(reports, &plan(), &[], 0).unwrap()
    }

    #[test]
    fn timestamps_are_dates_in_utc() {
        for (now, expected) in [
            (0, "19700101-000000"),
            (951_782_400, "20000229-000000"),
            (1_767_225_599, "20251231-235959"),
        ] {
            assert_eq!(timestamp(now), expected);
        }
    }

    #[test]
    fn records_are_found_again_when_a_run_goes_on() {
        let reports = tempfile::tempdir().unwrap();
        let mut folder = create(reports.path());
        folder.append(&record("http/epoll", 0)).unwrap();
        folder.append(&record("http/epoll", 1)).unwrap();
        let (path, done) = (folder.path.clone(), folder.done.clone());
        drop(folder);
        let (again, resumed) = RunFolder::resume(&path).unwrap();
        assert_eq!(resumed, plan());
        assert_eq!(again.done, done);
        assert_eq!(again.done.len(), 2);
    }

    #[test]
    fn a_run_that_still_goes_on_is_not_resumed() {
        let reports = tempfile::tempdir().unwrap();
        let folder = create(reports.path());
        let error = RunFolder::resume(&folder.path).unwrap_err();
        assert!(error.to_string().contains("still going on"), "{error}");
        let path = folder.path.clone();
        drop(folder);
        RunFolder::resume(&path).unwrap();
    }

    #[test]
    fn manifests_are_kept_with_their_templates() {
        let source = tempfile::tempdir().unwrap();
        fs::write(source.path().join("a.conf"), "listen {port}").unwrap();
        let text = include_str!("../../impls/http/nginx.toml");
        let text = format!("{text}\n[[file]]\npath = \"a\"\ntemplate = \"a.conf\"\n");
        let manifest = Manifest::parse("a.toml", &text, Some(source.path())).unwrap();
        let reports = tempfile::tempdir().unwrap();
        let programs = [manifest.origin().clone()];
        let folder = RunFolder::create(reports.path(), &plan(), &programs, 0).unwrap();
        drop(source);
        let again = stored_programs(&folder.path).unwrap();
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].origin(), manifest.origin());
        assert_eq!(again[0].files, manifest.files);
    }

    #[test]
    fn a_torn_last_line_is_cut_off() {
        let reports = tempfile::tempdir().unwrap();
        let mut folder = create(reports.path());
        folder.append(&record("http/epoll", 0)).unwrap();
        let path = folder.path.join("records.jsonl");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [whole.as_slice(), b"{\"schema\":1,\"gro"].concat()).unwrap();
        let place = folder.path.clone();
        drop(folder);
        let (mut again, _) = RunFolder::resume(&place).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole);
        again.append(&record("http/epoll", 1)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_newer_record_is_refused_by_its_number() {
        let reports = tempfile::tempdir().unwrap();
        let mut folder = create(reports.path());
        let mut newer = record("http/epoll", 0);
        newer.schema = 2;
        folder.append(&newer).unwrap();
        let path = folder.path.clone();
        drop(folder);
        let error = RunFolder::resume(&path).unwrap_err();
        assert!(error.to_string().contains("schema 2"), "{error}");
    }

    #[test]
    fn a_full_disk_is_named_and_the_file_stays_readable() {
        let reports = tempfile::tempdir().unwrap();
        let mut folder = create(reports.path());
        folder.append(&record("http/epoll", 0)).unwrap();
        let full = fs::OpenOptions::new().append(true).open("/dev/full");
        folder.records = JsonLines::of(full.unwrap());
        let error = folder.append(&record("http/epoll", 1)).unwrap_err();
        assert!(matches!(error, RunError::DiskFull { .. }), "{error}");
        let (again, _) = RunFolder::resume(&folder.path).unwrap();
        assert_eq!(again.done.len(), 1);
    }

    #[test]
    fn two_runs_of_one_second_have_two_folders_and_latest_is_the_newer() {
        let reports = tempfile::tempdir().unwrap();
        for expected in ["19700101-000000-sample", "19700101-000000-sample-2"] {
            let folder = create(reports.path());
            folder.point_latest(reports.path()).unwrap();
            let latest = fs::canonicalize(reports.path().join("latest")).unwrap();
            assert!(latest.ends_with(expected), "{}", latest.display());
        }
    }

    #[test]
    fn a_folder_without_a_plan_cannot_be_resumed() {
        let empty = tempfile::tempdir().unwrap();
        let error = RunFolder::resume(empty.path()).unwrap_err();
        assert!(error.to_string().contains("plan.json"), "{error}");
    }
}
