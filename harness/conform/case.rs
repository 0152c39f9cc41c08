//! What a case is, and how one is run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

/// A running server.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// The folder that it serves, if it serves one that cases may write to.
    pub root: Option<PathBuf>,
    /// Capabilities that it does not have, see [`Case::needs`].
    pub cannot: Vec<String>,
}

impl Target {
    /// The folder that it serves.
    ///
    /// # Errors
    /// [`Failure`] when there is none; [`check`] skips such cases before.
    pub fn root(&self) -> Result<&Path, Failure> {
        self.root
            .as_deref()
            .ok_or_else(|| Failure::new("the target names no document root"))
    }
}

/// One thing that a server must do.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The situation, such as `head_has_no_body`.
    pub name: &'static str,
    /// What must happen, with the section that says so.
    pub about: &'static str,
    /// Capabilities without which the case does not apply; `root` stands for a folder to write to.
    pub needs: &'static [&'static str],
    /// Talks to the server.
    pub run: fn(&Target) -> Result<(), Failure>,
}

/// What a server did wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{because}")]
pub struct Failure {
    /// What was expected and what came.
    pub because: String,
    /// Nothing came: the case could not be tried to its end, and says nothing about what it asks for.
    pub is_unanswered: bool,
}

impl Failure {
    /// A failure with its reason.
    pub fn new(because: impl Into<String>) -> Self {
        Self {
            because: because.into(),
            is_unanswered: false,
        }
    }

    /// Of a case that had no answer.
    pub fn unanswered(because: impl Into<String>) -> Self {
        Self {
            because: because.into(),
            is_unanswered: true,
        }
    }
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it must be.
    Passed,
    /// Not so.
    Failed(Failure),
    /// The program says that it cannot do this.
    NotApplicable {
        /// The capability that it lacks.
        lacks: &'static str,
    },
}

/// Runs `case` against `target`, or says why it does not apply.
pub fn check(case: &Case, target: &Target) -> Outcome {
    let lacks = case.needs.iter().find(|&&need| {
        (need == "root" && target.root.is_none()) || target.cannot.iter().any(|lack| lack == need)
    });
    if let Some(lacks) = lacks {
        return Outcome::NotApplicable { lacks };
    }
    match (case.run)(target) {
        Ok(()) => Outcome::Passed,
        Err(failure) => Outcome::Failed(failure),
    }
}

/// A server that says nothing for so long has failed. It is long because a busy machine must not
/// fail a case; no right answer waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Fails with the sentence unless `holds`.
pub(crate) fn ensure(holds: bool, because: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(because()))
    }
}
