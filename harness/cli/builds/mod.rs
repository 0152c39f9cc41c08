//! Two builds of this project that differ in their source alone: base, an older revision, and head,
//! what is checked out.
//!
//! [`prepare()`] leads through the parts: `place` is the folder that all of it lies in, `repository`
//! finds the commits, `snapshot` says what head is, `worktree` checks one out, `compile` builds it,
//! `differences` tells how the two differ besides their source. What is measured with the programs
//! is no concern of this module.
//!
//! Both are checked out at one path and built into one folder of cargo's, head before base. So both
//! have the same paths inside, crates of other people are compiled once, and each checkout is newer
//! than all that was built before it, which is what cargo goes by. The folder stays for the next time.

mod compile;
mod differences;
mod error;
mod place;
mod prepare;
mod repository;
mod snapshot;
mod worktree;

#[cfg(test)]
mod testing;

pub(crate) use error::BuildsError;
pub(crate) use prepare::{Prepared, prepare};
