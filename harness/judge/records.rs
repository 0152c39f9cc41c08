//! Reading records: JSON Lines, one block a line, parsed in parallel.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use ringside_contract::{RunRecord, SCHEMA};
use serde::Deserialize;
use thiserror::Error;

/// Records in the order of their file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records {
    /// The records.
    pub records: Vec<RunRecord>,
    /// What was not quite right about the file, in sentences.
    pub warnings: Vec<String>,
}

/// Why records could not be read.
#[derive(Debug, Error)]
pub enum RecordsError {
    /// The file could not be read.
    #[error("failed to read records from {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// A record has another form than this program reads.
    #[error(
        "{}, line {line}: the record has schema {found}, and this program reads schema {known}; \
         judge it with the version of ringside that wrote it",
        path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The record's number.
        found: u64,
        /// [`SCHEMA`].
        known: u32,
    },
    /// A line before the last is no record.
    #[error(
        "{}, line {line}: expected a record of schema {known} as one JSON object; \
         remove the line to go on without it",
        path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// [`SCHEMA`].
        known: u32,
        /// What the parser met.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads a file of records. A last line that was cut off, as a run leaves it that was killed or met a
/// full disk, is dropped with a warning.
///
/// # Errors
/// [`RecordsError`] for the first line that cannot be read.
pub fn read_records(path: &Path) -> Result<Records, RecordsError> {
    let bytes = std::fs::read(path).map_err(|source| RecordsError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse_records(&bytes, path)
}

/// The same on bytes; `path` is their name in messages.
///
/// # Errors
/// As [`read_records`].
pub fn parse_records(bytes: &[u8], path: &Path) -> Result<Records, RecordsError> {
    let lines: Vec<(usize, &[u8])> = bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let parsed: Vec<_> = lines
        .par_iter()
        .map(|(number, line)| parse_line(line, *number, path))
        .collect();
    // A writer ends each record with a line feed, so only a last line without one can be cut off.
    let may_be_torn = !bytes.ends_with(b"\n");
    let last = parsed.len();
    let mut read = Records {
        records: Vec::with_capacity(last),
        warnings: Vec::new(),
    };
    for (index, record) in parsed.into_iter().enumerate() {
        match record {
            Ok(record) => read.records.push(record),
            Err(RecordsError::Line { line, source, .. })
                if index + 1 == last && (may_be_torn || source.is_eof()) =>
            {
                read.warnings.push(format!(
                    "{}, line {line}: the last record was cut off and is left out",
                    path.display()
                ));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Only the number, which every schema has.
#[derive(Deserialize)]
struct SchemaNumber {
    schema: u64,
}

fn parse_line(line: &[u8], number: usize, path: &Path) -> Result<RunRecord, RecordsError> {
    let unknown = |found| RecordsError::Schema {
        path: path.to_owned(),
        line: number,
        found,
        known: SCHEMA,
    };
    match serde_json::from_slice::<RunRecord>(line) {
        Ok(record) if record.schema == SCHEMA => Ok(record),
        Ok(record) => Err(unknown(u64::from(record.schema))),
        // Another schema may have other fields: its number is the better message.
        Err(source) => match serde_json::from_slice::<SchemaNumber>(line) {
            Ok(SchemaNumber { schema }) if schema != u64::from(SCHEMA) => Err(unknown(schema)),
            _ => Err(RecordsError::Line {
                path: path.to_owned(),
                line: number,
                known: SCHEMA,
                source,
            }),
        },
    }
}
