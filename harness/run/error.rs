//! Why a run as a whole could not go on. What happens to a single block is in its record instead.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a run ended early or did not begin.
#[derive(Debug, Error)]
pub enum RunError {
    /// No space is left.
    #[error("the disk is full: failed to write {path}; {}", after_full(run.as_deref()))]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// The run's folder; `None` while there is nothing in it to go on with.
        run: Option<PathBuf>,
    },
    /// A file could not be read or written.
    #[error("failed to {step} {path}")]
    File {
        /// What was tried, such as `write`.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The plan cannot be run here.
    #[error("{0}")]
    UnfitPlan(String),
    /// The folder holds no run that could go on.
    #[error("{path} cannot be resumed: {because}")]
    NotResumable {
        /// The folder.
        path: PathBuf,
        /// Why not.
        because: String,
    },
}

impl RunError {
    /// An error of `step` on `path`, or [`Self::DiskFull`] when that is what it is.
    pub(crate) fn file(step: &'static str, path: &Path, run: &Path, source: io::Error) -> Self {
        Self::of(step, path, Some(run), source)
    }

    /// The same before there is a run to go on with.
    pub(crate) fn before_run(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self::of(step, path, None, source)
    }

    fn of(step: &'static str, path: &Path, run: Option<&Path>, source: io::Error) -> Self {
        let path = path.to_owned();
        if is_full(&source) {
            let run = run.map(Path::to_owned);
            return Self::DiskFull { path, run };
        }
        Self::File { step, path, source }
    }
}

/// True when it says that no space is left.
pub(crate) fn is_full(error: &io::Error) -> bool {
    [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded].contains(&error.kind())
}

/// What to do about a full disk.
fn after_full(run: Option<&Path>) -> String {
    match run {
        Some(run) => format!(
            "every finished block is safe in the run's folder: free some space and go on with \
             `ringside run --resume {}`",
            run.display()
        ),
        None => "nothing was measured yet: free some space, or choose another place with --out, \
                 and start again"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_how_to_go_on() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = RunError::file(
            "write",
            Path::new("r/records.jsonl"),
            Path::new("r"),
            source,
        );
        assert!(
            error.to_string().contains("ringside run --resume r"),
            "{error}"
        );
    }

    #[test]
    fn a_disk_that_is_full_before_the_run_does_not_speak_of_resuming() {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let error = RunError::before_run("write", Path::new("r/plan.json"), source);
        assert!(!error.to_string().contains("--resume"), "{error}");
    }
}
