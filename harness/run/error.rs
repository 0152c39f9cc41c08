//! Why a run as a whole could not go on. What happens to a single block is in its record instead.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a run ended early or did not begin.
#[derive(Debug, Error)]
pub enum RunError {
    /// No space is left.
    #[error(
        "the disk is full: failed to write {path}; every finished block is safe in the run's folder: \
         free some space and go on with `ringside run --resume {run}`"
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// The run's folder.
        run: PathBuf,
    },
    /// A file could not be read or written.
    #[error("failed to {step} {path}: {source}")]
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
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&source.kind()) {
            return Self::DiskFull {
                path: path.to_owned(),
                run: run.to_owned(),
            };
        }
        Self::File {
            step,
            path: path.to_owned(),
            source,
        }
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
}
