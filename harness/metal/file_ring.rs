//! A ring for one file: writes that are on the disk when the call returns, by one system call.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use io_uring::{IoUring, opcode, squeue, types};

/// The ring. It has nothing under way between two calls, so that no memory is used behind its owner's back.
pub struct FileRing(IoUring);

/// One of two entries: the write, and what waits for it.
const WRITE: u64 = 1;

impl FileRing {
    /// Sets a ring up.
    ///
    /// # Errors
    /// The system's answer: `ENOSYS` or `EPERM` where there is no io_uring for this process.
    pub fn new() -> io::Result<Self> {
        IoUring::new(4).map(Self)
    }

    /// Writes all of `bytes` at `offset` and syncs the file's data: both are handed over at once, linked, so that the
    /// second begins when the first has ended. A write that was cut short is repeated with what is left.
    ///
    /// # Errors
    /// The system's answer to either. What was written until then is in the file.
    pub fn write_and_sync(
        &mut self,
        file: &impl AsFd,
        mut offset: u64,
        mut bytes: &[u8],
    ) -> io::Result<()> {
        loop {
            let written = self.once(file, offset, bytes)?;
            if written == bytes.len() {
                return Ok(());
            }
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            offset += written as u64;
            bytes = &bytes[written..];
        }
    }

    /// Gives how much was written; the file is synced where that is all.
    fn once(&mut self, file: &impl AsFd, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let file = types::Fd(file.as_fd().as_raw_fd());
        // A longer one is cut short, and repeated.
        let length = u32::try_from(bytes.len()).unwrap_or(1 << 30);
        let write = opcode::Write::new(file, bytes.as_ptr(), length)
            .offset(offset)
            .build()
            .flags(squeue::Flags::IO_LINK)
            .user_data(WRITE);
        let sync = opcode::Fsync::new(file)
            .flags(types::FsyncFlags::DATASYNC)
            .build();
        // SAFETY: `bytes` and the file are borrowed until this function returns, and it does not before both completions
        // have come, whatever happens.
        let pushed = unsafe { self.0.submission().push_multiple(&[write, sync]) };
        pushed.map_err(|_| io::Error::other("the ring of a file has no room for two entries"))?;
        let (mut outcome, mut synced, mut left) = (Ok(0), Ok(()), 2);
        while left > 0 {
            match self.0.submit_and_wait(left) {
                Ok(_) => {}
                Err(error) if is_passing(&error) => {}
                // The entries may be under way, and the memory of the caller with them: to wait is all that is sound.
                Err(_) => std::thread::yield_now(),
            }
            for completion in self.0.completion() {
                let result = told(completion.result());
                left -= 1;
                if completion.user_data() == WRITE {
                    outcome = result;
                } else {
                    synced = result.map(drop);
                }
            }
        }
        let written = outcome?;
        // What waited for a write that was cut short was cancelled.
        if written == bytes.len() {
            synced?;
        }
        Ok(written)
    }
}

/// A signal came, or there was no room for a moment.
fn is_passing(error: &io::Error) -> bool {
    let passing = [libc::EINTR, libc::EAGAIN, libc::EBUSY];
    error
        .raw_os_error()
        .is_some_and(|code| passing.contains(&code))
}

fn told(result: i32) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    use super::*;

    #[test]
    fn what_was_written_is_there_and_errors_are_told() {
        let Ok(mut ring) = FileRing::new() else {
            eprintln!("skipped: this system has no io_uring");
            return;
        };
        let file = tempfile::tempfile().unwrap();
        for round in 0..20_u8 {
            let bytes = vec![round; 5000];
            ring.write_and_sync(&file, u64::from(round) * 5000, &bytes)
                .unwrap();
        }
        let mut read = vec![0; 100_000];
        file.read_exact_at(&mut read, 0).unwrap();
        assert!(
            read.chunks(5000)
                .zip(0..)
                .all(|(chunk, round)| chunk == [round; 5000])
        );
        let not_for_writing = File::open("/proc/self/exe").unwrap();
        let refused = ring.write_and_sync(&not_for_writing, 0, b"x").unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EBADF));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let refused = ring.write_and_sync(&full, 0, b"x").unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ENOSPC));
        ring.write_and_sync(&file, 0, b"after an error").unwrap();
    }
}
