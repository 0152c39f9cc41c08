//! The journal: a file that says everything that outlives the broker, for `persistence=file`.
//!
//! Each change is an entry. What one read of one connection changes is written in one piece before any
//! answer to it leaves: who was acknowledged finds all of it again, and what was not acknowledged is not
//! there at all. A killed process loses nothing of what it wrote; a power cut may, since no disk is waited
//! for. When most of the file is about what is over by now, it is written anew.

mod entry;
mod file;
mod frame;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ringside_contract::StartError;
use ringside_engine::Millis;

pub(crate) use self::entry::{Change, Entry};
use self::file::JournalFile;
use self::frame::Frame;
use crate::broker::Will;
use crate::message::Message;

/// Entries of a journal that is written anew lie in frames of this size.
const FRAME_BYTES: usize = 1 << 20;

/// The journal of one broker.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Held by whoever changes what is kept, from the first change to the last.
    turn: Mutex<()>,
    pages: Mutex<Pages>,
    /// What it writes to, open from its start to its end.
    files: Arc<[File; 2]>,
    /// When the broker's own clock began.
    began: Wall,
    /// It could not be written, and nothing may be acknowledged any more.
    is_broken: AtomicBool,
}

#[derive(Debug)]
struct Pages {
    file: JournalFile,
    frame: Frame,
    /// The number of the last message that was written.
    messages: u64,
    /// Messages of lower numbers stand in an earlier file.
    since: u64,
    /// What clients that are there leave behind, by connection.
    wills: HashMap<u64, Arc<Will>>,
}

/// When a broker's own clock began, by the wall clock: a broker that comes later has another clock of its
/// own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wall(u64);

/// The right to change what is kept. Others wait until it is given back, so that a frame holds the changes
/// of one alone.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    journal: &'a Journal,
    _held: MutexGuard<'a, ()>,
}

impl Journal {
    /// The journal in a folder, or one without a name that goes with the process. Shows what it holds. The
    /// broker's own clock began at `began`.
    ///
    /// # Errors
    /// A folder that another broker uses, a file that cannot be read or written, or that `show` refuses.
    pub(crate) fn open(
        folder: Option<&Path>,
        began: Wall,
        show: impl FnMut(&Entry<'_>) -> Result<(), &'static str>,
    ) -> Result<Self, StartError> {
        let file = match folder {
            Some(folder) => JournalFile::open(folder, show)?,
            None => JournalFile::nameless()?,
        };
        Ok(Self {
            turn: Mutex::default(),
            files: file.files(),
            pages: Mutex::new(Pages {
                file,
                frame: Frame::default(),
                messages: 0,
                since: 0,
                wills: HashMap::new(),
            }),
            began,
            is_broken: AtomicBool::new(false),
        })
    }

    /// Waits until nobody else changes anything.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn {
            journal: self,
            _held: self.turn.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// What every thread has to have open that changes anything.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.files.iter().map(AsFd::as_fd)
    }

    /// The time by the wall clock.
    pub(crate) fn wall(&self, at: Millis) -> u64 {
        self.began.at(at)
    }

    /// A change of a session.
    pub(crate) fn session(&self, session: u64, change: Change<'_>) {
        self.pages().write(&Entry::Session(session, change));
    }

    /// A message is its topic's last; an empty one deletes it.
    pub(crate) fn retained(&self, message: &Message) {
        let mut pages = self.pages();
        if message.payload.is_empty() {
            let topic = &message.topic;
            pages.write(&Entry::Cleared { topic });
        } else {
            let message = pages.message(message, self.began);
            pages.write(&Entry::Retained { message });
        }
    }

    /// The number of a message, which is written unless it was before.
    pub(crate) fn message(&self, message: &Message) -> u64 {
        self.pages().message(message, self.began)
    }

    /// What a client leaves behind.
    pub(crate) fn will(&self, will: &Arc<Will>) {
        let mut pages = self.pages();
        pages.will(will, self.began);
        pages.wills.insert(will.connection, Arc::clone(will));
    }

    /// What a client left behind that an earlier broker lost: it is written with all that is.
    pub(crate) fn remember_will(&self, will: &Arc<Will>) {
        let mut pages = self.pages();
        pages.wills.insert(will.connection, Arc::clone(will));
    }

    /// A will was published, or is void. There may be none.
    pub(crate) fn will_is_over(&self, connection: u64) {
        let mut pages = self.pages();
        if pages.wills.remove(&connection).is_some() {
            pages.write(&Entry::WillOver { connection });
        }
    }

    /// What clients that are there leave behind.
    #[cfg(test)]
    pub(crate) fn wills(&self) -> Vec<Arc<Will>> {
        self.pages().wills.values().cloned().collect()
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.pages().file.length()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Writes the changes to the file. False when they could not be, now or before: then nothing may be
    /// acknowledged.
    pub(crate) fn write(&self) -> bool {
        if self.journal.is_broken.load(Ordering::Relaxed) {
            return false;
        }
        let mut pages = self.journal.pages();
        let Pages { file, frame, .. } = &mut *pages;
        let Err(error) = file.append(frame) else {
            return true;
        };
        drop(pages);
        self.journal.is_broken.store(true, Ordering::Relaxed);
        eprintln!(
            "ringside: failed to write the broker's journal: {error}; clients are refused from here on: make room \
             and start the broker again"
        );
        false
    }

    /// Most of the file is about what is over.
    pub(crate) fn is_long(&self) -> bool {
        self.journal.pages().file.is_long()
    }

    /// Writes the journal anew, when all changes are written: `all` writes everything that is kept, but for
    /// the wills. What was there stays when that fails.
    ///
    /// # Errors
    /// The system's answer.
    pub(crate) fn rewrite(&self, all: impl FnOnce(&Journal)) -> io::Result<()> {
        let mut pages = self.journal.pages();
        pages.file.begin_anew()?;
        pages.since = pages.messages + 1;
        let wills: Vec<_> = pages.wills.values().cloned().collect();
        for will in &wills {
            pages.will(will, self.journal.began);
        }
        drop(pages);
        all(self.journal);
        let mut pages = self.journal.pages();
        let Pages { file, frame, .. } = &mut *pages;
        let ended = file.append(frame).and_then(|()| file.end_anew());
        if ended.is_err() {
            frame.clear();
            // The file before it knows none of the new numbers.
            pages.since = pages.messages + 1;
        }
        ended
    }
}

#[cfg(test)]
impl Turn<'_> {
    /// Frames go to another file from here on.
    pub(crate) fn replace_file(&self, file: File) {
        self.journal.pages().file.replace(file);
    }
}

impl Pages {
    fn write(&mut self, entry: &Entry<'_>) {
        self.frame.push(entry);
        if self.frame.len() > FRAME_BYTES && self.file.is_anew() {
            self.file.append_anew(&mut self.frame);
        }
    }

    fn message(&mut self, message: &Message, began: Wall) -> u64 {
        let known = message.number.load(Ordering::Relaxed);
        if known >= self.since && known > 0 {
            return known;
        }
        self.messages += 1;
        // Relaxed: the pages are held by whoever reads or writes it.
        message.number.store(self.messages, Ordering::Relaxed);
        self.write(&Entry::Message {
            message: self.messages,
            expires: message.expires.map(|at| began.at(at)),
            publish: &message.packet(),
        });
        self.messages
    }

    fn will(&mut self, will: &Will, began: Wall) {
        let message = self.message(&will.message, began);
        self.write(&Entry::Will {
            connection: will.connection,
            client: &will.client,
            message,
            retain: will.retain,
            delay_s: will.delay_s,
        });
    }
}

impl Wall {
    /// A time, in milliseconds since 1970.
    #[cfg(test)]
    pub(crate) fn of(millis: u64) -> Self {
        Self(millis)
    }

    /// Now.
    pub(crate) fn now() -> Self {
        // Before 1970 no broker ran.
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// The broker's own time of a time of the wall clock; 0 for what was before it.
    pub(crate) fn own(self, wall: u64) -> Millis {
        wall.saturating_sub(self.0)
    }

    fn at(self, own: Millis) -> u64 {
        self.0.saturating_add(own)
    }
}
