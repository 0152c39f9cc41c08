//! Reading records: JSON Lines, one block a line, parsed in parallel.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use ringside_contract::{RunRecord, SCHEMA};
use serde::Deserialize;
use thiserror::Error;

use crate::sound::impossible;

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
    /// A record holds a figure that no measurement gives.
    #[error(
        "{}, line {line}: {what}; remove the line to go on without it",
        path.display()
    )]
    Impossible {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The field, what it holds and what was expected.
        what: String,
    },
    /// The records are of more than one run.
    #[error(
        "{}, line {line}: {what} is {other}, and {first} in the records before; \
         only records of one run compare, so keep those of each in a folder of their own",
        path.display()
    )]
    Mixed {
        /// The file.
        path: PathBuf,
        /// Number of the first line that differs, from 1.
        line: usize,
        /// What differs.
        what: &'static str,
        /// Its value in the first record.
        first: String,
        /// Its value in this line.
        other: String,
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
    one_run(&read.records, &lines, path)?;
    Ok(read)
}

/// What all records of a run have in common.
type Trait = fn(&RunRecord) -> &str;

/// Records of two runs in one file would be judged as rounds of one, which shared neither program nor hour.
fn one_run(
    records: &[RunRecord],
    lines: &[(usize, &[u8])],
    path: &Path,
) -> Result<(), RecordsError> {
    let Some(first) = records.first() else {
        return Ok(());
    };
    let traits: [(&'static str, Trait); 3] = [
        ("the run", |record| &record.run),
        ("the binary", |record| &record.build.binary),
        ("the kernel", |record| &record.host.kernel),
    ];
    for (record, (line, _)) in records.iter().zip(lines) {
        for (what, read) in traits {
            if read(record) != read(first) {
                return Err(RecordsError::Mixed {
                    path: path.to_owned(),
                    line: *line,
                    what,
                    first: read(first).to_owned(),
                    other: read(record).to_owned(),
                });
            }
        }
    }
    Ok(())
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
        Ok(record) if record.schema == SCHEMA => match impossible(&record) {
            None => Ok(record),
            Some(what) => Err(RecordsError::Impossible {
                path: path.to_owned(),
                line: number,
                what,
            }),
        },
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
