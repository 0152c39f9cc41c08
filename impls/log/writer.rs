//! A log over any way to get bytes onto a disk.

use std::fs;
use std::io;
use std::path::Path;

use bytes::BytesMut;
use ringside_contract::operations::log::DATA_MAX;

use super::format::{self, BODY};
use super::work::Appending;

/// A way to get bytes onto a disk.
pub(crate) trait Disk: Send + Sized + 'static {
    /// A new file; one that is there is replaced. It and its place in the folder are on the disk when this returns.
    ///
    /// # Errors
    /// The system's answer.
    fn create(path: &Path) -> io::Result<Self>;

    /// Writes at `offset`, which is where the last write ended or the beginning; the bytes are on the disk when this
    /// returns.
    ///
    /// # Errors
    /// The system's answer. Then nobody knows what is on the disk.
    fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// What was written is not needed any more. A file that grows begins to grow anew.
    ///
    /// # Errors
    /// The system's answer.
    fn begin_anew(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log.
pub(crate) struct Log<D> {
    disk: D,
    /// Where the next entry goes.
    end: u64,
    /// Its number.
    next: u64,
    bytes: BytesMut,
    has_failed: bool,
}

impl<D: Disk> Appending for Log<D> {
    fn create(path: &Path) -> io::Result<Self> {
        let mut log = Self {
            disk: D::create(path)?,
            end: BODY,
            next: 0,
            bytes: BytesMut::new(),
            has_failed: false,
        };
        log.write_head()?;
        Ok(log)
    }

    fn recover(path: &Path) -> io::Result<Vec<Vec<u8>>> {
        format::entries(fs::read(path)?)
    }

    fn append(&mut self, entries: &[&[u8]]) -> io::Result<()> {
        if let Some(long) = entries.iter().find(|data| data.len() > DATA_MAX as usize) {
            // What no recovery takes for an entry would end the log for all behind it.
            let message = format!("an entry of {} bytes: at most {DATA_MAX}", long.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.bytes.clear();
        for data in entries {
            format::entry(self.next, data, &mut self.bytes);
            self.next += 1;
        }
        self.commit(self.end)?;
        self.end += self.bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.disk.begin_anew()?;
        self.write_head()?;
        self.end = BODY;
        Ok(())
    }

    fn len(&self) -> u64 {
        self.end
    }
}

impl<D: Disk> Log<D> {
    fn write_head(&mut self) -> io::Result<()> {
        self.bytes = format::head(self.next);
        self.commit(0)
    }

    fn commit(&mut self, offset: u64) -> io::Result<()> {
        if self.has_failed {
            let because = "an earlier write has failed, and nobody knows what is on the disk: recover the log";
            return Err(io::Error::other(because));
        }
        let outcome = self.disk.commit(offset, &self.bytes);
        // A second sync may succeed though the pages that the first one lost are gone (fsync(2), Linux since 4.13).
        self.has_failed = outcome.is_err();
        outcome
    }
}

/// Has the folder of a new file on the disk, without which the file is lost with the power.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::o_direct::Blocks;
    use super::*;

    /// Where bytes were written, and which.
    type Written = (u64, Vec<u8>);

    /// Every write, in order; the last ones fail where so many are allowed.
    #[derive(Default)]
    struct Memory {
        writes: Arc<Mutex<Vec<Written>>>,
        allowed: Option<usize>,
        blocks: Option<Blocks>,
    }

    impl Disk for Memory {
        fn create(_: &Path) -> io::Result<Self> {
            Ok(Self::default())
        }

        fn commit(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            let mut writes = self.writes.lock().unwrap();
            if self.allowed.is_some_and(|allowed| writes.len() >= allowed) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            match &mut self.blocks {
                Some(blocks) => {
                    let (offset, bytes) = blocks.around(offset, bytes);
                    writes.push((offset, bytes.to_vec()));
                }
                None => writes.push((offset, bytes.to_vec())),
            }
            Ok(())
        }
    }

    fn log(disk: Memory) -> Log<Memory> {
        let mut log = Log {
            disk,
            end: BODY,
            next: 0,
            bytes: BytesMut::new(),
            has_failed: false,
        };
        log.write_head().unwrap();
        log
    }

    fn apply(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
        let (begin, end) = (offset as usize, offset as usize + bytes.len());
        file.resize(file.len().max(end), 0);
        file[begin..end].copy_from_slice(bytes);
    }

    /// Entries of batches of 1, 2, 3 ... of them.
    fn batch(number: usize) -> Vec<Vec<u8>> {
        let entry = |place| vec![number as u8; 7 * number + place];
        (0..number).map(entry).collect()
    }

    /// Wherever the last write is torn, all batches before it are whole, and of it there is a beginning.
    fn holds_at_every_offset(disk: Memory) {
        let writes = Arc::clone(&disk.writes);
        let mut log = log(disk);
        for number in 1..8 {
            let batch = batch(number);
            let entries: Vec<_> = batch.iter().map(Vec::as_slice).collect();
            log.append(&entries).unwrap();
        }
        let writes = writes.lock().unwrap().clone();
        let (mut file, mut acknowledged) = (Vec::new(), Vec::new());
        for (number, (offset, bytes)) in writes.iter().enumerate() {
            let mut all: Vec<Vec<u8>> = acknowledged.clone();
            all.extend(batch(number));
            // Without its head there is no log yet.
            for torn in (0..bytes.len()).filter(|_| number > 0) {
                let mut left = file.clone();
                apply(&mut left, *offset, &bytes[..torn]);
                let found = format::entries(left).unwrap();
                assert!(found.len() >= acknowledged.len(), "{number} {torn}");
                assert!(all.starts_with(&found), "{number} {torn}");
            }
            apply(&mut file, *offset, bytes);
            acknowledged = all;
            assert_eq!(format::entries(file.clone()).unwrap(), acknowledged);
        }
    }

    #[test]
    fn what_was_acknowledged_is_there_wherever_a_write_is_torn() {
        holds_at_every_offset(Memory::default());
    }

    #[test]
    fn the_same_holds_for_whole_blocks_that_are_written_again() {
        holds_at_every_offset(Memory {
            blocks: Some(Blocks::default()),
            ..Memory::default()
        });
    }

    #[test]
    fn after_a_failure_nothing_is_acknowledged_any_more_and_nothing_is_lost() {
        let disk = Memory {
            allowed: Some(2),
            ..Memory::default()
        };
        let writes = Arc::clone(&disk.writes);
        let mut log = log(disk);
        log.append(&[&b"kept"[..]]).unwrap();
        let full = log.append(&[&b"no room"[..]]).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        log.disk.allowed = None;
        let later = log.append(&[&b"later"[..]]).unwrap_err();
        assert!(later.to_string().contains("recover the log"), "{later}");
        let mut file = Vec::new();
        for (offset, bytes) in writes.lock().unwrap().iter() {
            apply(&mut file, *offset, bytes);
        }
        assert_eq!(format::entries(file).unwrap(), [b"kept".to_vec()]);
    }

    #[test]
    fn entries_of_before_a_restart_do_not_come_back() {
        let disk = Memory::default();
        let writes = Arc::clone(&disk.writes);
        let mut log = log(disk);
        for _ in 0..5 {
            log.append(&[&b"the same"[..]]).unwrap();
        }
        log.restart().unwrap();
        log.append(&[&b"the same"[..]]).unwrap();
        let mut file = Vec::new();
        for (offset, bytes) in writes.lock().unwrap().iter() {
            apply(&mut file, *offset, bytes);
        }
        assert_eq!(format::entries(file).unwrap(), [b"the same".to_vec()]);
    }
}
