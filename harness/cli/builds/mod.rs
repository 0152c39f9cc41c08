//! `ringside gate`: two builds of a server in turn, and whether the newer one is slower.
//!
//! How the two builds come about is here: `revision` finds the commits, `worktree` checks them out,
//! `build` compiles both alike, `differences` tells how they differ besides their source.

pub(crate) mod build;
pub(crate) mod differences;
pub(crate) mod error;
pub(crate) mod flags;
pub(crate) mod revision;
pub(crate) mod worktree;

#[cfg(test)]
mod testing;
