//! okaywal: a log of several files with a thread of its own that clears what was applied.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use okaywal::{Configuration, Entry, EntryId, LogManager, LogVoid, SegmentReader, WriteAheadLog};
use ringside_contract::ImplementationMeta;

use super::work::{Appending, NamedLog, RESTART};

/// `log/okaywal`.
pub(crate) struct OkayWal;

static META: ImplementationMeta = ImplementationMeta {
    id: "log/okaywal",
    about: "The crate okaywal, with files of 64 MiB, each filled with zeros when it is begun; a batch is one entry of several chunks.",
    axes: &[],
    ranked: true,
};

impl NamedLog for OkayWal {
    const META: &'static ImplementationMeta = &META;
    type Log = Wal;
}

/// An open log. Its thread ends when it is dropped.
pub(crate) struct Wal {
    log: Option<WriteAheadLog>,
    folder: PathBuf,
}

fn configuration(folder: &Path) -> Configuration {
    // It is 64 MiB, which is a `u32`.
    Configuration::default_for(folder)
        .preallocate_bytes(RESTART as u32)
        .checkpoint_after_bytes(RESTART)
}

/// Takes all entries up to the first that is not whole.
#[derive(Debug, Default, Clone)]
struct Found(Arc<Mutex<Entries>>);

#[derive(Debug, Default)]
struct Entries {
    whole: Vec<Vec<u8>>,
    /// What comes later was not acknowledged, or is there by chance.
    is_over: bool,
}

const fn is_torn(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidData, Other, UnexpectedEof};
    matches!(kind, InvalidData | Other | UnexpectedEof)
}

impl LogManager for Found {
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match entry.read_all_chunks() {
            Ok(Some(_)) if found.is_over => {}
            Ok(Some(chunks)) => found.whole.extend(chunks),
            // It was never finished.
            Ok(None) => found.is_over = true,
            // Nor was this one: some of its bytes never came to the disk. A length that leads beyond the file is of kind `Other`.
            Err(error) if is_torn(error.kind()) => found.is_over = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn checkpoint_to(
        &mut self,
        _: EntryId,
        _: &mut SegmentReader,
        _: &WriteAheadLog,
    ) -> io::Result<()> {
        Ok(())
    }
}

impl Appending for Wal {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            log: Some(configuration(path).open(LogVoid)?),
            folder: path.to_owned(),
        })
    }

    fn recover(path: &Path) -> io::Result<Vec<Vec<u8>>> {
        let found = Found::default();
        // What comes next is another log's: it needs no file of the size of one.
        let configuration = configuration(path).preallocate_bytes(1);
        configuration.open(found.clone())?.shutdown()?;
        let mut found = found.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut found.whole))
    }

    /// It would take the files for those of a log that was left, and begin new ones.
    fn look(_: &Path) -> Option<io::Result<Vec<Vec<u8>>>> {
        None
    }

    fn append(&mut self, entries: &[&[u8]]) -> io::Result<()> {
        let Some(log) = self.log.take() else {
            return Err(io::Error::other(
                "an earlier write has failed, and nobody knows what is on the disk",
            ));
        };
        let mut entry = log.begin_entry()?;
        for data in entries {
            entry.write_chunk(data)?;
        }
        entry.commit()?;
        // After an error the crate waits for ever for the file that it could not get, so that it is not asked again.
        self.log = Some(log);
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        if let Some(log) = self.log.take() {
            log.shutdown()?;
        }
        fs::remove_dir_all(&self.folder)?;
        self.log = Some(configuration(&self.folder).open(LogVoid)?);
        Ok(())
    }

    /// It clears its files by itself.
    fn len(&self) -> u64 {
        0
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        // Nobody asks any more; all that was acknowledged is on the disk.
        let _ = self.log.take().map(WriteAheadLog::shutdown);
    }
}
