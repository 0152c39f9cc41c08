//! The file of the journal, and the one that takes its place when it is written anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use ringside_contract::StartError;
use rustix::fs::{FlockOperation, Mode, OFlags};

use super::entry::Entry;
use super::frame::{self, Frame, MAGIC};

const NAME: &str = "broker.journal";
const NAME_OF_NEXT: &str = "broker.journal.next";

/// A journal is not written anew below this length, in bytes.
const LONG: u64 = 16 << 20;

/// An open journal.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    length: u64,
    /// Its length after it was written anew.
    length_anew: u64,
    /// The file that is to take its place.
    next: Option<Next>,
    /// Where it is; `None` without a name.
    place: Option<Place>,
}

/// A folder that belongs to this broker as long as it is open.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    _lock: OwnedFd,
}

#[derive(Debug)]
struct Next {
    file: File,
    length: u64,
    /// The first answer of the system that was no success.
    failed: Option<io::Error>,
}

impl JournalFile {
    /// Opens the journal of a folder, which is made when it is not there, and shows what it holds.
    pub(super) fn open(
        folder: &Path,
        show: impl FnMut(&Entry<'_>) -> Result<(), &'static str>,
    ) -> Result<Self, StartError> {
        let failed = |step: &str| {
            let step = format!("{step} {}", folder.display());
            move |source| StartError::Io { step, source }
        };
        fs::create_dir_all(folder).map_err(failed("make the folder"))?;
        let lock = lock(folder)?;
        let path = folder.join(NAME);
        let failed = |source| StartError::Io {
            step: format!("read the journal {}", path.display()),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let extent = frame::read_all(&mut BufReader::new(&file), length, show).map_err(failed)?;
        if extent.torn > 0 {
            eprintln!(
                "ringside: the last {} bytes of {} were not written to their end, and nothing of them was \
                 acknowledged: left out",
                extent.torn,
                path.display()
            );
        }
        file.set_len(extent.whole).map_err(failed)?;
        if extent.whole == 0 {
            file.write_all(MAGIC).map_err(failed)?;
        }
        Ok(Self {
            file,
            length: extent.whole.max(MAGIC.len() as u64),
            length_anew: 0,
            next: None,
            place: Some(Place {
                folder: folder.to_owned(),
                _lock: lock,
            }),
        })
    }

    /// A journal that nobody finds again: what it costs is the same.
    pub(super) fn nameless() -> Result<Self, StartError> {
        let file = tempfile::tempfile().and_then(begun);
        let file = file.map_err(|source| StartError::Io {
            step: "make a journal among the temporary files".to_owned(),
            source,
        })?;
        Ok(Self {
            file,
            length: MAGIC.len() as u64,
            length_anew: 0,
            next: None,
            place: None,
        })
    }

    /// Frames go to another file from here on.
    #[cfg(test)]
    pub(super) fn replace(&mut self, file: File) {
        self.file = file;
    }

    /// Its bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// It is long, and has more than doubled since it was written anew.
    pub(super) fn is_long(&self) -> bool {
        self.length > LONG.max(2 * self.length_anew)
    }

    /// Appends a frame to the file, or to the one that is to take its place, and clears it.
    pub(super) fn append(&mut self, frame: &mut Frame) -> io::Result<()> {
        if frame.len() == 0 {
            return Ok(());
        }
        let (file, length) = match &mut self.next {
            Some(next) => (&mut next.file, &mut next.length),
            None => (&mut self.file, &mut self.length),
        };
        let bytes = frame.seal();
        file.write_all(bytes)?;
        *length += bytes.len() as u64;
        frame.clear();
        Ok(())
    }

    /// From here on frames go to a file that is to take this one's place.
    pub(super) fn begin_anew(&mut self) -> io::Result<()> {
        let file = match &self.place {
            Some(place) => OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .open(place.folder.join(NAME_OF_NEXT))?,
            None => tempfile::tempfile()?,
        };
        self.next = Some(Next {
            file: begun(file)?,
            length: MAGIC.len() as u64,
            failed: None,
        });
        Ok(())
    }

    /// Frames go to the file that is to take this one's place.
    pub(super) fn is_anew(&self) -> bool {
        self.next.is_some()
    }

    /// Appends a frame there. Whether that failed is asked at the end.
    pub(super) fn append_anew(&mut self, frame: &mut Frame) {
        let appended = self.append(frame);
        if let (Err(error), Some(next)) = (appended, &mut self.next) {
            frame.clear();
            next.failed.get_or_insert(error);
        }
    }

    /// The new file takes the place of the old one, at once and whole; or the old one stays.
    pub(super) fn end_anew(&mut self) -> io::Result<()> {
        let Some(next) = self.next.take() else {
            return Ok(());
        };
        // When it fails, it is not tried again with every frame.
        self.length_anew = self.length;
        if let Some(error) = next.failed {
            return Err(error);
        }
        if let Some(place) = &self.place {
            let name = |name| place.folder.join(name);
            fs::rename(name(NAME_OF_NEXT), name(NAME))?;
        }
        (self.file, self.length, self.length_anew) = (next.file, next.length, next.length);
        Ok(())
    }
}

/// A new file that says what it is.
fn begun(mut file: File) -> io::Result<File> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(MAGIC)?;
    Ok(file)
}

/// Takes a folder for this broker alone. The lock is the folder's own, since the file in it changes.
fn lock(folder: &Path) -> Result<OwnedFd, StartError> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(folder, flags, Mode::empty());
    let locked = opened.and_then(|opened| {
        rustix::fs::flock(&opened, FlockOperation::NonBlockingLockExclusive).map(|()| opened)
    });
    locked.map_err(|error| match error {
        rustix::io::Errno::WOULDBLOCK => StartError::Option {
            option: "state".to_owned(),
            because: format!(
                "another broker keeps its journal in {}: give each a folder of its own",
                folder.display()
            ),
        },
        error => StartError::Io {
            step: format!("lock the folder {}", folder.display()),
            source: error.into(),
        },
    })
}
