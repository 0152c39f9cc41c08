//! Logs: entries that are on the disk before anybody is told so.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Entries that are appended in batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogTask {
    /// Bytes of an entry's data, from 1 to [`DATA_MAX`].
    pub size: u32,
    /// Entries of a batch, which are written and waited for together, from 1 to [`BATCH_MAX`].
    pub batch: u32,
    /// Where the log is.
    pub place: Place,
}

/// The most bytes of an entry's data.
pub const DATA_MAX: u32 = 64 << 10;

/// The most entries of a batch.
pub const BATCH_MAX: u32 = 1024;

/// Where a log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On a disk, below the folder for temporary files.
    Disk,
    /// In memory (`/dev/shm`), where waiting for the disk costs nothing.
    Memory,
}

/// An open log, for conformance cases.
pub trait TestedAppender {
    /// Appends entries; they are acknowledged when it returns without an error. After an error nothing more can be
    /// appended, since nobody knows what is on the disk.
    ///
    /// # Errors
    /// The system's answer, with the file.
    fn append(&mut self, entries: &[&[u8]]) -> io::Result<()>;

    /// Forgets all entries: what they say is kept elsewhere.
    ///
    /// # Errors
    /// As for [`Self::append`].
    fn restart(&mut self) -> io::Result<()>;
}

/// One kind of log, for conformance cases.
pub trait TestedLog: Send + Sync {
    /// A new one in this file, or below this folder where it has several.
    ///
    /// # Errors
    /// The system's answer, with the file.
    fn create(&self, path: &Path) -> io::Result<Box<dyn TestedAppender>>;

    /// All entries of one that may have been left in the middle of anything.
    ///
    /// # Errors
    /// The file cannot be read, or never was a log.
    fn recover(&self, path: &Path) -> io::Result<Vec<Vec<u8>>>;

    /// Pages of a file that are to be written to its disk; `None` where the system does not tell, or there is no disk.
    ///
    /// # Errors
    /// The system's answer.
    fn unwritten_pages(&self, file: &Path) -> io::Result<Option<u64>>;
}
