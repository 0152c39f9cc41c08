//! A file of JSON lines that is only ever appended to: what is in it is safe whatever happens next, and a
//! line that a crash tore is cut off when the file is opened again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use ringside_metal::Held;
use serde::Serialize;

/// The file, taken for this process until it is dropped.
#[derive(Debug)]
pub(crate) struct JsonLines(Held<File>);

/// Why a file of lines could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Another process has it open.
    Taken,
    /// What was tried, and the system's answer.
    System(&'static str, io::Error),
}

impl JsonLines {
    /// Lines into any file, such as one that takes none.
    #[cfg(test)]
    pub(crate) fn of(file: File) -> Self {
        Self(Held::take(file).unwrap())
    }

    /// Opens or makes the file, and gives the whole lines that it has.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<u8>), OpenError> {
        let fail = |step| move |error| OpenError::System(step, error);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .map_err(fail("open"))?;
        // No second process writes the same lines.
        let mut held = Held::take_where_supported(file).ok_or(OpenError::Taken)?;
        let file = held.file_mut();
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(fail("read"))?;
        let whole = whole_lines(&text);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(fail("repair"))?;
            text.truncate(whole);
        }
        Ok((Self(held), text))
    }

    /// Appends a line and waits until it is on disk. When that fails, the file keeps what it had.
    pub(crate) fn append(&mut self, record: &impl Serialize) -> io::Result<()> {
        let file = self.0.file_mut();
        let before = file.seek(io::SeekFrom::End(0))?;
        let mut line = serde_json::to_vec(record).map_err(io::Error::other)?;
        line.push(b'\n');
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        if written.is_err() {
            // A torn line is harmless to readers; it is cut off where that is still possible.
            let _ = file.set_len(before);
        }
        written
    }
}

/// The length of the lines that have an end.
fn whole_lines(text: &[u8]) -> usize {
    let last = text.iter().rposition(|&byte| byte == b'\n');
    last.map_or(0, |newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, "1\n2\n{\"torn").unwrap();
        let (mut lines, text) = JsonLines::open(&path).unwrap();
        assert_eq!(text, b"1\n2\n");
        lines.append(&3).unwrap();
        drop(lines);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }

    #[test]
    fn a_file_that_is_open_already_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let (first, _) = JsonLines::open(&path).unwrap();
        assert!(matches!(JsonLines::open(&path), Err(OpenError::Taken)));
        drop(first);
        assert!(JsonLines::open(&path).is_ok());
    }
}
