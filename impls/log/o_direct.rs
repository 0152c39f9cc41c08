//! A file that is written past the page cache, in whole blocks from aligned memory. The last block of a batch is written
//! again with the next one, which begins in it; what it had before stays as it was, so that a torn write harms nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use ringside_contract::ImplementationMeta;

use super::preallocated::zeros;
use super::work::NamedLog;
use super::writer::{Disk, Log};

/// `log/o_direct`.
pub(crate) struct Direct {
    file: File,
    blocks: Blocks,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "log/o_direct",
    about: "O_DIRECT writes of whole blocks of 4 KiB, and fdatasync, on a file of 64 MiB that was written full of zeros before.",
    axes: &[],
    ranked: true,
};

impl NamedLog for Direct {
    const META: &'static ImplementationMeta = &META;
    type Log = Log<Self>;
}

impl Disk for Direct {
    fn create(path: &Path) -> io::Result<Self> {
        drop(zeros(File::create(path)?, path)?);
        let flags = rustix::fs::OFlags::DIRECT.bits().cast_signed();
        let file = OpenOptions::new()
            .write(true)
            .custom_flags(flags)
            .open(path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::InvalidInput => io::Error::new(
                    io::ErrorKind::Unsupported,
                    "its file system takes no O_DIRECT",
                ),
                _ => error,
            })?;
        Ok(Self {
            file,
            blocks: Blocks::default(),
        })
    }

    fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (offset, bytes) = self.blocks.around(offset, bytes);
        self.file.write_all_at(bytes, offset)?;
        // The disk's own cache is not the page cache, and the file's size may be new.
        self.file.sync_data()
    }
}

const BLOCK: usize = 4096;

/// Memory of whole blocks that begins where a disk can read it.
pub(super) struct Blocks {
    /// One block more than is in use, so that there is a beginning that fits.
    bytes: Vec<u8>,
    /// The last block of the last bytes, and where these ended.
    last: [u8; BLOCK],
    end: u64,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            last: [0; BLOCK],
            end: 0,
        }
    }
}

impl Blocks {
    /// The blocks around `bytes` at `offset`, and where they begin. Bytes before them in the first block are those that came
    /// last where they end there, and zeros otherwise; behind them there are zeros.
    pub(super) fn around(&mut self, offset: u64, bytes: &[u8]) -> (u64, &[u8]) {
        let before = offset as usize % BLOCK;
        let used = before + bytes.len();
        let whole = used.div_ceil(BLOCK).max(1) * BLOCK;
        if self.bytes.len() < whole + BLOCK {
            self.bytes = vec![0; whole + BLOCK];
        }
        // Within the one block more.
        let start = self.bytes.as_ptr().align_offset(BLOCK) % BLOCK;
        let area = &mut self.bytes[start..start + whole];
        if offset == self.end {
            area[..before].copy_from_slice(&self.last[..before]);
        } else {
            area[..before].fill(0);
        }
        area[before..used].copy_from_slice(bytes);
        area[used..].fill(0);
        self.last.copy_from_slice(&area[whole - BLOCK..]);
        self.end = offset + bytes.len() as u64;
        (offset - before as u64, area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_aligned_and_begin_as_the_last_ones_ended() {
        let mut blocks = Blocks::default();
        let (offset, bytes) = blocks.around(0, &[1; 4096]);
        assert_eq!((offset, bytes), (0, &[1; 4096][..]));
        let (offset, bytes) = blocks.around(4096, &[2; 100]);
        assert_eq!((offset, bytes.len()), (4096, 4096));
        assert_eq!(bytes.as_ptr().align_offset(BLOCK), 0);
        assert!(bytes[..101] == [&[2; 100][..], &[0]].concat());
        let (offset, bytes) = blocks.around(4196, &[3; 5000]);
        assert_eq!((offset, bytes.len()), (4096, 8192));
        assert!(bytes[..5101] == [&[2; 100][..], &[3; 5000], &[0]].concat());
        let (offset, bytes) = blocks.around(9196, &[4; 10]);
        assert_eq!((offset, bytes.len()), (8192, 4096));
        assert!(bytes[..1015] == [&[3; 1004][..], &[4; 10], &[0]].concat());
    }
}
