//! What a compiler makes of the same loops when it is told other things.

use serde::{Deserialize, Serialize};

/// A loop, again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildTask {
    /// Which one.
    pub part: Part,
}

/// The loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// One turn of each of the four that follow.
    All,
    /// A key of 1 KiB is hashed.
    Hash,
    /// An entry of a log is written as bytes, and one is read.
    Codec,
    /// A map is asked for a key.
    Map,
    /// The head of an HTTP request is read.
    Http,
    /// One is added to a number that threads may share, and no other does.
    Atomics,
    /// A number is multiplied, and another one added, where each product needs the sum before it.
    Floats,
}

impl Part {
    /// The loops themselves.
    pub const LOOPS: [Self; 6] = [
        Self::Hash,
        Self::Codec,
        Self::Map,
        Self::Http,
        Self::Atomics,
        Self::Floats,
    ];
}

/// Turns of a loop of which [`TestedBuild::sum`] tells.
pub const TESTED_TURNS: u32 = 1000;

/// Loops, for conformance cases.
pub trait TestedBuild: Send + Sync {
    /// What [`TESTED_TURNS`] turns of a loop give, which depends on every result.
    ///
    /// # Errors
    /// A loop that cannot be run, or that noticed a wrong result itself.
    fn sum(&self, part: Part) -> Result<u64, String>;
}
