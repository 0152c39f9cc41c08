//! What is counted beside a load, where the system allows it.

use std::fmt::Display;

/// How often something was called, or why nobody knows.
pub(crate) type Calls = Result<u64, String>;

/// The reason in words, as it stands in records.
pub(crate) fn told<T, E: Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}
