//! What all logs have in common: what a thread does with one, and what has to hold of it.

use std::io;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ringside_contract::operations::log::{BATCH_MAX, DATA_MAX, LogTask, TestedAppender, TestedLog};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{Host, ImplementationMeta, Settings, StartError, Support};
use tempfile::TempDir;

use super::place::{folder, of, unwritten};
use crate::script::Random;

/// A log that is open.
pub(crate) trait Appending: Send + Sized + 'static {
    /// An empty one.
    ///
    /// # Errors
    /// The system's answer.
    fn create(path: &Path) -> io::Result<Self>;

    /// All entries of one that may have been left in the middle of anything.
    ///
    /// # Errors
    /// It cannot be read, or never was a log.
    fn recover(path: &Path) -> io::Result<Vec<Vec<u8>>>;

    /// The same of one that is open and rests; `None` where that cannot be.
    fn look(path: &Path) -> Option<io::Result<Vec<Vec<u8>>>> {
        Some(Self::recover(path))
    }

    /// See [`TestedAppender::append`].
    ///
    /// # Errors
    /// The system's answer.
    fn append(&mut self, entries: &[&[u8]]) -> io::Result<()>;

    /// See [`TestedAppender::restart`].
    ///
    /// # Errors
    /// The system's answer.
    fn restart(&mut self) -> io::Result<()>;

    /// Bytes that it takes.
    fn len(&self) -> u64;
}

/// A log with its name.
pub(crate) trait NamedLog: Sized + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// What is open.
    type Log: Appending;

    /// Whether it can run on `host`.
    fn support(host: &Host) -> Support {
        let _ = host;
        Support::Yes
    }
}

/// Bytes of a log before it is begun anew, as one whose entries were applied is.
pub(super) const RESTART: u64 = 64 << 20;

/// A line of the list.
pub(crate) struct Entry<L>(PhantomData<fn() -> L>);

impl<L> Entry<L> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<L: NamedLog> InProcess for Entry<L> {
    fn meta(&self) -> &'static ImplementationMeta {
        L::META
    }

    fn support(&self, host: &Host, _: &Settings) -> Support {
        L::support(host)
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Log(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        let logs =
            (0..workload.threads.max(1)).map(|thread| Opened::new(task, workload.seed, thread));
        Ok(Box::new(Logs::<L::Log> {
            logs: logs.collect::<Result<_, _>>()?,
            stopped: Mutex::new(None),
        }))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Log(Box::new(Any::<L::Log>(PhantomData))))
    }
}

struct Any<L>(PhantomData<fn() -> L>);

impl<L: Appending> TestedLog for Any<L> {
    fn create(&self, path: &Path) -> io::Result<Box<dyn TestedAppender>> {
        Ok(Box::new(Open(L::create(path).map_err(of(path))?)))
    }

    fn recover(&self, path: &Path) -> io::Result<Vec<Vec<u8>>> {
        L::recover(path).map_err(of(path))
    }

    fn unwritten_pages(&self, file: &Path) -> io::Result<Option<u64>> {
        unwritten(file).map_err(of(file))
    }
}

struct Open<L>(L);

impl<L: Appending> TestedAppender for Open<L> {
    fn append(&mut self, entries: &[&[u8]]) -> io::Result<()> {
        self.0.append(entries)
    }

    fn restart(&mut self) -> io::Result<()> {
        self.0.restart()
    }
}

/// A log for each thread: whoever shares one has a lock around it, which is another question.
struct Logs<L> {
    logs: Vec<Opened<L>>,
    /// Why one of them goes on no more.
    stopped: Mutex<Option<String>>,
}

/// A log in a folder of its own, which goes with it.
struct Opened<L> {
    /// Taken by its thread.
    log: Mutex<Option<L>>,
    batch: Vec<Vec<u8>>,
    /// Entries that were acknowledged since the log was begun anew.
    acknowledged: AtomicUsize,
    folder: TempDir,
}

impl<L: Appending> Opened<L> {
    fn new(task: &LogTask, seed: u64, thread: u32) -> Result<Self, StartError> {
        let folder = folder(task.place)?;
        let path = folder.path().join(FILE);
        let log = L::create(&path).map_err(|source| match source.kind() {
            io::ErrorKind::Unsupported => StartError::Unsupported {
                reason: format!("{}: {source}", path.display()),
            },
            _ => StartError::Io {
                step: format!("make a log at {}", path.display()),
                source,
            },
        })?;
        let mut random = Random::new(seed, thread.into());
        let size = task.size.clamp(1, DATA_MAX);
        let mut entry = || (0..size).map(|_| random.word() as u8).collect();
        Ok(Self {
            log: Mutex::new(Some(log)),
            batch: (0..task.batch.clamp(1, BATCH_MAX))
                .map(|_| entry())
                .collect(),
            acknowledged: AtomicUsize::new(0),
            folder,
        })
    }

    /// That what was acknowledged is found again.
    fn check(&self) -> Result<(), String> {
        let path = self.folder.path().join(FILE);
        let Some(found) = L::look(&path) else {
            return Ok(());
        };
        let found = found.map_err(|error| format!("{}: {error}", path.display()))?;
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        if found.len() != acknowledged {
            let found = found.len();
            return Err(format!(
                "{acknowledged} entries were acknowledged, and {found} are found"
            ));
        }
        let mut pairs = found.iter().zip(self.batch.iter().cycle());
        match pairs.position(|(found, written)| found != written) {
            None => Ok(()),
            Some(place) => Err(format!(
                "entry {place} is found as another one than was written"
            )),
        }
    }
}

const FILE: &str = "log";

impl<L: Appending> Prepared for Logs<L> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        let opened = &self.logs[thread as usize % self.logs.len()];
        let mut log = opened.log.lock().unwrap_or_else(PoisonError::into_inner);
        Box::new(Thread {
            log: log.take(),
            batch: opened.batch.iter().map(Vec::as_slice).collect(),
            opened,
            stopped: &self.stopped,
        })
    }

    fn stopped(&self) -> Option<String> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.clone()
    }

    fn check(&self) -> Result<(), String> {
        self.logs.iter().try_for_each(Opened::check)
    }
}

/// What one thread works with.
struct Thread<'a, L> {
    log: Option<L>,
    batch: Vec<&'a [u8]>,
    opened: &'a Opened<L>,
    stopped: &'a Mutex<Option<String>>,
}

impl<L: Appending> Thread<'_, L> {
    fn append(&mut self) -> io::Result<()> {
        let Some(log) = &mut self.log else {
            return Err(io::Error::other("it has failed before"));
        };
        let bytes: usize = self.batch.iter().map(|data| data.len() + 16).sum();
        let acknowledged = &self.opened.acknowledged;
        if log.len() + bytes as u64 > RESTART {
            log.restart()?;
            acknowledged.store(0, Ordering::Relaxed);
        }
        log.append(&self.batch)?;
        acknowledged.fetch_add(self.batch.len(), Ordering::Relaxed);
        Ok(())
    }
}

impl<L: Appending> Work for Thread<'_, L> {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        for _ in 0..count {
            if let Err(error) = self.append() {
                let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
                stopped.get_or_insert(format!("a batch could not be appended: {error}"));
                // A log that failed is asked no more.
                self.log = None;
                return 0;
            }
        }
        count.into()
    }
}
