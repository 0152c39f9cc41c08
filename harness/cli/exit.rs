//! How the tool ends: one documented code for each kind of end.

use std::process::ExitCode;

/// Exit codes, as README lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Ok = 0,
    /// Something failed; the cause is on standard error.
    Error = 1,
    /// The command line, a plan, a manifest or an id was wrong.
    Usage = 2,
    /// A regression was found and confirmed in fresh processes.
    Regression = 3,
    /// A promised claim was missed (only with `--strict`).
    Missed = 4,
    /// The measurements do not decide, or are not valid.
    Undecided = 5,
    /// A profile without a single sample: what was watched never ran, or never waited.
    Empty = 6,
    /// Stopped by the user; finished cells are kept.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that is the caller's to mend: wrong arguments, ids or input files. Ends with
/// [`Exit::Usage`].
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The code for an error that reached `main`.
pub(crate) fn code_of(error: &anyhow::Error) -> Exit {
    if error.downcast_ref::<UsageError>().is_some() {
        Exit::Usage
    } else {
        Exit::Error
    }
}
