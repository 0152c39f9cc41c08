//! Why two builds could not be prepared.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::place::Side;
use crate::exit::UsageError;

/// Why there are no two builds to compare.
#[derive(Debug, Error)]
pub(crate) enum BuildsError {
    /// There is no git.
    #[error("failed to start git: install it, as both builds come from a repository")]
    NoGit(#[source] io::Error),
    /// The folder is in no repository.
    #[error("{path} is not in a git repository: start the gate in a clone of the project")]
    NotARepository {
        /// The folder.
        path: PathBuf,
    },
    /// The repository belongs to somebody else.
    #[error(
        "git does not trust {path}, because another user owns it: start the gate as its owner, or \
         allow it with `git config --global --add safe.directory {path}`"
    )]
    Untrusted {
        /// The folder.
        path: PathBuf,
    },
    /// Nobody knows the revision.
    #[error("revision {revision} does not exist in {repository}: {remedy}")]
    NoSuchRevision {
        /// As it was given.
        revision: String,
        /// The repository's folder.
        repository: PathBuf,
        /// What to try.
        remedy: String,
    },
    /// The clone has only a part of the history, and the revision is not in it.
    #[error(
        "revision {revision} is not in {repository}, which is a shallow clone: fetch it with {remedy}; \
         in a workflow, `fetch-depth: 0` for actions/checkout brings all revisions"
    )]
    Shallow {
        /// As it was given.
        revision: String,
        /// The repository's folder.
        repository: PathBuf,
        /// What fetches it.
        remedy: String,
    },
    /// Files differ from the commit, or are new.
    #[error(
        "{count} file{} of {repository} changed or new, held by no commit ({first}): commit, \
         stash or ignore them, or measure them as they are with --allow-dirty",
        if *count == 1 { "" } else { "s" }
    )]
    Dirty {
        /// The repository's folder.
        repository: PathBuf,
        /// How many.
        count: usize,
        /// The first of them.
        first: String,
    },
    /// Something lies where a checkout has to go, and the gate did not put it there.
    #[error("{path} is no leftover of a gate: move it away, or choose another target folder")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// git refused.
    #[error("failed to {step} with git: {said}")]
    Git {
        /// What was tried.
        step: &'static str,
        /// What git said.
        said: String,
    },
    /// A file or folder.
    #[error("failed to {step} {path}: see that it can be written and that the disk has space")]
    File {
        /// What was tried.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The toolchain of head cannot be told.
    #[error(
        "failed to find the toolchain of head, with which both are built: {said}; install it with `rustup toolchain install`"
    )]
    Toolchain {
        /// What rustup said.
        said: String,
    },
    /// cargo cannot be started.
    #[error("failed to start cargo: install Rust from https://rustup.rs")]
    NoCargo(#[source] io::Error),
    /// It does not compile.
    #[error(
        "failed to build {side} ({name}): cargo {ended}; all that it said is in {log}, and its \
         last lines are:\n{tail}{hint}"
    )]
    Build {
        /// Which of both.
        side: Side,
        /// What the caller calls it.
        name: String,
        /// How cargo ended.
        ended: String,
        /// cargo's whole standard error.
        log: PathBuf,
        /// The end of it.
        tail: String,
        /// What may be the reason; empty, or a line of its own.
        hint: &'static str,
    },
    /// cargo compiled nothing or another program.
    #[error("failed to find the program of {side}: cargo {because}")]
    NoProgram {
        /// Which of both.
        side: Side,
        /// What is wrong.
        because: String,
    },
    /// Another gate uses the folder.
    #[error(
        "another gate is at work in {folder}: wait for its end, or choose another target folder"
    )]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The caller asked for the end.
    #[error("interrupted while the two builds were prepared; nothing was measured")]
    Interrupted,
}

impl BuildsError {
    /// An error of a file.
    pub(crate) fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { step, path, source }
    }

    /// True when the caller can mend it on the command line or in the repository.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NotARepository { .. }
                | Self::NoSuchRevision { .. }
                | Self::Shallow { .. }
                | Self::Dirty { .. }
                | Self::Occupied { .. }
                | Self::Busy { .. }
        )
    }

    /// The same for `main`, which ends with the code that belongs to it.
    pub(crate) fn into_anyhow(self) -> anyhow::Error {
        if self.is_usage() {
            UsageError(self.to_string()).into()
        } else {
            self.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::{Exit, code_of};

    #[test]
    fn a_wrong_revision_is_the_callers_to_mend_and_a_failed_build_is_not() {
        let folder = PathBuf::from("/t");
        let busy = BuildsError::Busy { folder };
        assert_eq!(code_of(&busy.into_anyhow()), Exit::Usage);
        let because = String::new();
        let side = Side::Base;
        let build = BuildsError::NoProgram { side, because };
        assert_eq!(code_of(&build.into_anyhow()), Exit::Error);
    }
}
