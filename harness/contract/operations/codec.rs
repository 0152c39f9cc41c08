//! Codecs: entries of a replicated log as bytes.

use serde::{Deserialize, Serialize};

/// Entries that are written as bytes, and read from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodecTask {
    /// Bytes of an entry's data, at most [`DATA_MAX`].
    pub size: u32,
    /// What is done with each.
    pub direction: Direction,
    /// Whether each is in a frame, with its length and a checksum.
    pub framed: bool,
}

/// What is done with each entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It is written.
    Encode,
    /// It is read, and its data are looked at.
    Decode,
    /// Both.
    Both,
}

/// The most bytes of an entry's data.
pub const DATA_MAX: usize = 1 << 20;

/// An entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryView<'a> {
    /// The term of the leader that wrote it.
    pub term: u64,
    /// Its place.
    pub index: u64,
    /// What it is: 0 is a command, 1 a configuration, 2 nothing at all.
    pub kind: u8,
    /// The command.
    pub data: &'a [u8],
}

/// The most of [`EntryView::kind`].
pub const KIND_MAX: u8 = 2;

/// A codec behind a pointer, for conformance cases.
pub trait TestedCodec: Send + Sync {
    /// Appends an entry in a frame.
    fn write(&self, entry: EntryView<'_>, out: &mut Vec<u8>);

    /// Reads frames from bytes that come in parts.
    fn reader(&self) -> Box<dyn TestedFrames>;
}

/// Frames from bytes that come in parts.
pub trait TestedFrames {
    /// Some more bytes.
    fn push(&mut self, bytes: &[u8]);

    /// Shows the next entry, if it is there as a whole; false where more bytes are needed.
    ///
    /// # Errors
    /// What is wrong with the bytes. Nothing behind them can be read.
    fn next(&mut self, show: &mut dyn FnMut(EntryView<'_>)) -> Result<bool, String>;

    /// That no more bytes come.
    ///
    /// # Errors
    /// A frame was cut off.
    fn end(&self) -> Result<(), String>;
}
