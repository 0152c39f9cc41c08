//! Folders for logs: on a disk that is one, and in memory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ringside_contract::StartError;
use ringside_contract::operations::log::Place;
use ringside_metal::unwritten_pages;
use tempfile::TempDir;

/// A new folder there, which goes with its value.
///
/// # Errors
/// [`StartError::Unsupported`]: there is no disk behind any folder for temporary files, or no `/dev/shm`.
pub(super) fn folder(place: Place) -> Result<TempDir, StartError> {
    let parent = match place {
        Place::Memory => PathBuf::from("/dev/shm"),
        Place::Disk => {
            let folders = [std::env::temp_dir(), PathBuf::from("/var/tmp")];
            let found = folders.into_iter().find(|folder| !is_memory(folder));
            found.ok_or_else(|| StartError::Unsupported {
                reason:
                    "the folders for temporary files are in memory; set TMPDIR to one on a disk"
                        .to_owned(),
            })?
        }
    };
    let step = || format!("make a folder for a log in {}", parent.display());
    tempfile::Builder::new()
        .prefix("ringside-log-")
        .tempdir_in(&parent)
        .map_err(|source| StartError::Io {
            step: step(),
            source,
        })
}

/// Pages of a file that are to be written to its disk; `None` where the system does not tell, or there is no disk.
pub(super) fn unwritten(file: &Path) -> io::Result<Option<u64>> {
    if is_memory(file) {
        return Ok(None);
    }
    match unwritten_pages(&File::open(file)?) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        pages => pages.map(Some),
    }
}

/// Of files of memory, as `statfs(2)` tells them.
fn is_memory(folder: &Path) -> bool {
    const TMPFS_MAGIC: u64 = 0x0102_1994;
    const RAMFS_MAGIC: u64 = 0x8584_58f6;
    let kind =
        rustix::fs::statfs(folder).map(|file_system| file_system.f_type as u64 & 0xffff_ffff);
    kind.is_ok_and(|kind| kind == TMPFS_MAGIC || kind == RAMFS_MAGIC)
}

/// The system's answer, with the file that it was about.
pub(super) fn of(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
