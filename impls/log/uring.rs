//! The write and the sync behind it handed to the kernel at once, by io_uring: the second begins when the first has ended,
//! and both cost one system call.

use std::fs::File;
use std::io;
use std::path::Path;

use ringside_contract::{Host, ImplementationMeta, Support, UringSupport};
use ringside_metal::FileRing;

use super::preallocated::zeros;
use super::work::NamedLog;
use super::writer::{Disk, Log};

/// `log/uring`.
pub(crate) struct Uring {
    file: File,
    ring: FileRing,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "log/uring",
    about: "A write and a linked fdatasync by one call of io_uring, on a file of 64 MiB that was written full of zeros before.",
    axes: &[],
    ranked: true,
};

impl NamedLog for Uring {
    const META: &'static ImplementationMeta = &META;
    type Log = Log<Self>;

    fn support(host: &Host) -> Support {
        match &host.uring {
            UringSupport::Available { .. } => Support::Yes,
            UringSupport::Refused { reason } => Support::No {
                reason: reason.clone(),
            },
        }
    }
}

impl Disk for Uring {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: zeros(File::create(path)?, path)?,
            ring: FileRing::new()?,
        })
    }

    fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.ring.write_and_sync(&self.file, offset, bytes)
    }
}
