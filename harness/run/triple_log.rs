//! The triples of a gate as a file: appended one by one, and read again when a recording goes on.

use std::io;
use std::path::{Path, PathBuf};

use ringside_contract::{GATE_SCHEMA, TripleRecord};
use serde::Deserialize;
use thiserror::Error;

use crate::json_lines::{JsonLines, OpenError};

/// Why a file of triples could not be used.
#[derive(Debug, Error)]
pub enum TripleLogError {
    /// Another process records into it.
    #[error(
        "{path} is being written by another process; wait for its end, or choose another folder"
    )]
    Taken {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("failed to {step} {path}")]
    File {
        /// What was tried.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It holds something else than triples of this schema.
    #[error(
        "{path}, line {line}: {because}; move the file away, or read it with the version that wrote it"
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        because: String,
    },
}

/// A file of triples that is being written.
#[derive(Debug)]
pub struct TripleLog {
    path: PathBuf,
    lines: JsonLines,
}

/// Only the number, which every schema has.
#[derive(Deserialize)]
struct SchemaNumber {
    schema: u64,
}

impl TripleLog {
    /// Opens or makes the file, and gives the triples that it has.
    ///
    /// # Errors
    /// [`TripleLogError`], also when another process has it open.
    pub fn open(path: &Path) -> Result<(Self, Vec<TripleRecord>), TripleLogError> {
        let path = path.to_owned();
        let (lines, text) = JsonLines::open(&path).map_err(|error| match error {
            OpenError::Taken => TripleLogError::Taken { path: path.clone() },
            OpenError::System(step, source) => TripleLogError::File {
                step,
                path: path.clone(),
                source,
            },
        })?;
        let records = read_triples(&text, &path)?;
        Ok((Self { path, lines }, records))
    }

    /// Appends a triple; it is on disk when this returns.
    ///
    /// # Errors
    /// The system's answer.
    pub fn append(&mut self, record: &TripleRecord) -> Result<(), TripleLogError> {
        self.lines
            .append(record)
            .map_err(|source| TripleLogError::File {
                step: "write",
                path: self.path.clone(),
                source,
            })
    }
}

/// The triples in `text`; `path` is for messages.
///
/// # Errors
/// [`TripleLogError::Content`] with the line.
pub fn read_triples(text: &[u8], path: &Path) -> Result<Vec<TripleRecord>, TripleLogError> {
    let lines = text.split(|&byte| byte == b'\n').enumerate();
    let filled = lines.filter(|(_, line)| !line.is_empty());
    let read = |(index, line): (usize, &[u8])| {
        triple(line).map_err(|because| TripleLogError::Content {
            path: path.to_owned(),
            line: index + 1,
            because,
        })
    };
    filled.map(read).collect()
}

fn triple(line: &[u8]) -> Result<TripleRecord, String> {
    // Another schema may have the same fields with another meaning, so the number is looked at first.
    if let Ok(SchemaNumber { schema }) = serde_json::from_slice(line)
        && schema != u64::from(GATE_SCHEMA)
    {
        return Err(format!(
            "it has schema {schema}, and this program reads schema {GATE_SCHEMA}"
        ));
    }
    serde_json::from_slice(line).map_err(|error| format!("it is no triple ({error})"))
}

#[cfg(test)]
mod tests {
    use ringside_contract::Phase;

    use super::*;

    fn record(number: u32) -> TripleRecord {
        TripleRecord {
            schema: GATE_SCHEMA,
            scenario: "echo/small".parse().unwrap(),
            implementation: "echo/epoll".parse().unwrap(),
            phase: Phase::First,
            number,
            seed: 1,
            began_at: 2,
            servers: vec!["base".to_owned()],
            turns: Vec::new(),
            cpu_busy: Vec::new(),
            counts: Vec::new(),
            uncounted: Vec::new(),
            failed: None,
        }
    }

    #[test]
    fn triples_are_found_again_when_a_recording_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("triples.jsonl");
        let (mut log, before) = TripleLog::open(&path).unwrap();
        assert!(before.is_empty());
        log.append(&record(0)).unwrap();
        log.append(&record(1)).unwrap();
        drop(log);
        let (_, records) = TripleLog::open(&path).unwrap();
        assert_eq!(records, [record(0), record(1)]);
    }

    #[test]
    fn triples_of_another_schema_are_refused_by_their_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("triples.jsonl");
        let good = serde_json::to_string(&record(0)).unwrap();
        std::fs::write(&path, format!("{good}\n{{\"schema\":9}}\n")).unwrap();
        let error = TripleLog::open(&path).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("schema 9"),
            "{error}"
        );
    }
}
