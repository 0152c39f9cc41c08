//! The same on a file whose bytes are all there already: a sync then writes data alone, and no new size or place of them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ringside_contract::ImplementationMeta;

use super::work::{NamedLog, RESTART};
use super::writer::{Disk, Log, sync_folder};

/// `log/preallocated`.
pub(crate) struct Preallocated(File);

static META: ImplementationMeta = ImplementationMeta {
    id: "log/preallocated",
    about: "write and fdatasync on a file of 64 MiB that was written full of zeros before.",
    axes: &[],
    ranked: true,
};

impl NamedLog for Preallocated {
    const META: &'static ImplementationMeta = &META;
    type Log = Log<Self>;
}

impl Disk for Preallocated {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(zeros(File::create(path)?, path)?))
    }

    fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)?;
        self.0.sync_data()
    }
}

/// Fills a new file with zeros. Space that is only reserved would have to be marked as written with each sync.
pub(super) fn zeros(file: File, path: &Path) -> io::Result<File> {
    let zeros = vec![0; 1 << 20];
    for offset in (0..RESTART).step_by(zeros.len()) {
        file.write_all_at(&zeros, offset)?;
    }
    file.sync_all()?;
    sync_folder(path)?;
    Ok(file)
}
