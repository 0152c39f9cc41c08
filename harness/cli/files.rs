//! Files of a run that other commands read: written whole or not at all, and read by their schema.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Writes a file by way of another one beside it, so that a full disk leaves the file that was there.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The id keeps two commands at once from writing into one file.
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // It may not even have come into being; the error that counts is the first one.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| format!("failed to write {}", path.display()))
}

/// Only the number, which every schema has.
#[derive(Deserialize)]
struct SchemaNumber {
    schema: u64,
}

/// Reads JSON of `expected`, the schema that this program reads. `remedy` is what to do about what is of
/// another one.
pub(crate) fn of_schema<T: DeserializeOwned>(
    expected: u32,
    bytes: &[u8],
    path: &Path,
    remedy: &str,
) -> anyhow::Result<T> {
    // Another schema may have the same fields with another meaning, so the number is looked at first.
    if let Ok(SchemaNumber { schema }) = serde_json::from_slice(bytes)
        && schema != u64::from(expected)
    {
        anyhow::bail!(
            "{} has schema {schema}, and this program reads schema {expected}; {remedy}",
            path.display()
        );
    }
    serde_json::from_slice(bytes).with_context(|| {
        format!(
            "{} cannot be read as JSON of schema {expected}; {remedy}",
            path.display()
        )
    })
}
