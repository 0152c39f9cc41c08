//! A file that grows: `write`, then `fdatasync`, as everybody begins.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ringside_contract::ImplementationMeta;

use super::work::NamedLog;
use super::writer::{Disk, Log, sync_folder};

/// `log/std`.
pub(crate) struct Std(File);

static META: ImplementationMeta = ImplementationMeta {
    id: "log/std",
    about: "write and fdatasync of the standard library on a file that grows.",
    axes: &[],
    ranked: true,
};

impl NamedLog for Std {
    const META: &'static ImplementationMeta = &META;
    type Log = Log<Self>;
}

impl Disk for Std {
    fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        sync_folder(path)?;
        Ok(Self(file))
    }

    fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)?;
        self.0.sync_data()
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        self.0.set_len(0)
    }
}
