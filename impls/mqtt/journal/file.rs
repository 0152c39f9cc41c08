//! The file of the journal, and the one that takes its place when it is written anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringside_contract::StartError;
use ringside_metal::Held;
use rustix::fs::{Mode, OFlags};

use super::entry::Entry;
use super::frame::{self, Frame, MAGIC};

const NAME: &str = "broker.journal";
const NAME_OF_NEXT: &str = "broker.journal.next";
/// The file before, while names change.
const NAME_OF_LAST: &str = "broker.journal.last";

/// A journal is not written anew below this length, in bytes.
const LONG: u64 = 16 << 20;

/// An open journal.
#[derive(Debug)]
pub(super) struct JournalFile {
    /// The journal, and the file that takes its place, in turns. Both are open from the start on and stay so:
    /// a thread with a table of descriptors of its own has no others.
    files: Arc<[File; 2]>,
    /// Which of them is the journal.
    current: usize,
    length: u64,
    /// Its length after it was written anew.
    length_anew: u64,
    /// The other one is to take its place.
    next: Option<Next>,
    /// Where it is; `None` without a name.
    place: Option<Place>,
}

/// A folder that belongs to this broker as long as it is open.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    _lock: Held<OwnedFd>,
}

#[derive(Debug)]
struct Next {
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
        let mut file = open(&path).map_err(failed)?;
        let next = open(&folder.join(NAME_OF_NEXT)).map_err(failed)?;
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
        let place = Place {
            folder: folder.to_owned(),
            _lock: lock,
        };
        let length = extent.whole.max(MAGIC.len() as u64);
        Ok(Self::new([file, next], length, Some(place)))
    }

    /// A journal that nobody finds again: what it costs is the same.
    pub(super) fn nameless() -> Result<Self, StartError> {
        let files = || {
            let files = [nameless()?, nameless()?];
            (&files[0]).write_all(MAGIC).map(|()| files)
        };
        let files = files().map_err(|source| StartError::Io {
            step: "make a journal among the temporary files".to_owned(),
            source,
        })?;
        Ok(Self::new(files, MAGIC.len() as u64, None))
    }

    fn new(files: [File; 2], length: u64, place: Option<Place>) -> Self {
        Self {
            files: Arc::new(files),
            current: 0,
            length,
            length_anew: 0,
            next: None,
            place,
        }
    }

    /// Both files, which are open as long as it is.
    pub(super) fn files(&self) -> Arc<[File; 2]> {
        Arc::clone(&self.files)
    }

    /// Frames go to another file from here on.
    #[cfg(test)]
    pub(super) fn replace(&mut self, file: File) {
        let other = file.try_clone().unwrap();
        self.files = Arc::new([file, other]);
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
        let (at, length) = match &mut self.next {
            Some(next) => (1 - self.current, &mut next.length),
            None => (self.current, &mut self.length),
        };
        let bytes = frame.seal();
        (&self.files[at]).write_all(bytes)?;
        *length += bytes.len() as u64;
        frame.clear();
        Ok(())
    }

    /// From here on frames go to a file that is to take this one's place.
    pub(super) fn begin_anew(&mut self) -> io::Result<()> {
        let next = &self.files[1 - self.current];
        let begun = next.set_len(0).and_then(|()| {
            let mut next = next;
            next.write_all(MAGIC)
        });
        if begun.is_err() {
            // It is not tried again with every frame.
            self.length_anew = self.length;
            return begun;
        }
        self.next = Some(Next {
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
            place.exchange()?;
        }
        self.current = 1 - self.current;
        (self.length, self.length_anew) = (next.length, next.length);
        // Its room is free again; that it could not be shortened hurts nobody.
        let _ = self.files[1 - self.current].set_len(0);
        Ok(())
    }
}

impl Place {
    /// The two files exchange their names. A broker that is killed in between leaves a journal: the one
    /// before, or the one behind.
    fn exchange(&self) -> io::Result<()> {
        let name = |name| self.folder.join(name);
        match fs::remove_file(name(NAME_OF_LAST)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::hard_link(name(NAME), name(NAME_OF_LAST))?;
        fs::rename(name(NAME_OF_NEXT), name(NAME))?;
        // Where this fails, the next exchange does, and the journal stays what it is by then.
        let _ = fs::rename(name(NAME_OF_LAST), name(NAME_OF_NEXT));
        Ok(())
    }
}

/// Opens a file to read it and to append to it. What clients say is for nobody else's eyes.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// A file without a name that is appended to.
fn nameless() -> io::Result<File> {
    let file = tempfile::tempfile()?;
    rustix::fs::fcntl_setfl(&file, OFlags::APPEND)?;
    Ok(file)
}

/// Takes a folder for this broker alone. The lock is the folder's own, since the file in it changes.
fn lock(folder: &Path) -> Result<Held<OwnedFd>, StartError> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(folder, flags, Mode::empty());
    let locked = opened.map_err(io::Error::from).and_then(Held::take);
    locked.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => StartError::Option {
            option: "state".to_owned(),
            because: format!(
                "another broker keeps its journal in {}: give each a folder of its own",
                folder.display()
            ),
        },
        _ => StartError::Io {
            step: format!("lock the folder {}", folder.display()),
            source: error,
        },
    })
}
