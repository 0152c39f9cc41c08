//! A table of descriptors for a thread that is started beside a full one.
//!
//! A plain copy ([`crate::own_table`]) would not do: a connection stays open while any table holds it, so the
//! copy of 20,000 connections would keep their peers waiting for the end. Here the kernel copies only what
//! lies below the last descriptor that is to be kept, and what else lies there is closed at once.

use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

/// The calling thread's own table, as long as this lives. When it ends, what was kept is closed in it: the
/// kernel would do so only some time after the thread was joined, and a listener would still listen.
#[derive(Debug)]
pub struct SmallTable {
    kept: Vec<RawFd>,
    /// It is the thread's, and cannot be sent to another one.
    _thread: PhantomData<*const ()>,
}

impl SmallTable {
    /// Gives the calling thread a table of its own, in which only the standard streams and `kept` are open,
    /// under the numbers that they have.
    ///
    /// The thread must use no other descriptor that was open before, and none that others open later; what
    /// it opens itself must stay with it. Whoever owns what is kept must live longer than the thread.
    ///
    /// The thread gets no signals from here on: their handlers may write to a descriptor, whose number here
    /// may be a client's.
    ///
    /// # Errors
    /// The system's answer: `ENOSYS` before Linux 5.9, `EPERM` where a filter refuses it.
    pub fn enter(kept: &[BorrowedFd<'_>]) -> io::Result<Self> {
        block_signals()?;
        let mut kept: Vec<RawFd> = kept.iter().map(AsRawFd::as_raw_fd).collect();
        kept.retain(|&number| number >= STREAMS);
        kept.sort_unstable();
        kept.dedup();
        let first_after = kept.last().map_or(STREAMS, |last| last + 1);
        // Not even copied, so that nobody's connection is held open for a moment.
        close_range(first_after, RawFd::MAX, libc::CLOSE_RANGE_UNSHARE)?;
        let mut next = STREAMS;
        for &number in &kept {
            if next < number {
                close_range(next, number - 1, 0)?;
            }
            next = number + 1;
        }
        Ok(Self {
            kept,
            _thread: PhantomData,
        })
    }
}

impl Drop for SmallTable {
    fn drop(&mut self) {
        for &number in &self.kept {
            // A failure leaves it to the end of the thread.
            let _ = close_range(number, number, 0);
        }
    }
}

/// Standard input, output and error, which panics are written to.
const STREAMS: RawFd = 3;

fn close_range(first: RawFd, last: RawFd, flags: libc::c_uint) -> io::Result<()> {
    // SAFETY: no memory is touched. The first call leaves the table that others use as it is, and every
    // later one is about the thread's own, of which the caller of `enter` uses nothing but what is kept; that
    // is closed when the thread no longer uses it.
    let answer = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// All but those that a fault of the thread itself raises, which end the process with a message.
fn block_signals() -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` initialises the set, which the other calls take as it is; they write nothing but
    // the set and the thread's own mask.
    let answer = unsafe {
        libc::sigfillset(set.as_mut_ptr());
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL] {
            libc::sigdelset(set.as_mut_ptr(), fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut())
    };
    match answer {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, DirEntry, File};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    /// What the calling thread has open besides the standard streams, and the folder that is read here.
    fn open_here() -> Vec<RawFd> {
        let folder = format!("/proc/self/task/{}/fd", rustix::thread::gettid());
        let number = |file: io::Result<DirEntry>| {
            let file = file.unwrap();
            let is_folder = fs::read_link(file.path()).unwrap().starts_with("/proc");
            let number: RawFd = file.file_name().to_str().unwrap().parse().unwrap();
            (number >= STREAMS && !is_folder).then_some(number)
        };
        let mut numbers: Vec<RawFd> = fs::read_dir(folder).unwrap().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn only_what_is_kept_is_open_and_peers_of_the_rest_see_the_end() {
        let null = || File::open("/dev/null").unwrap();
        // One below what is kept, one between, and one above.
        let (below, mut peer_of_below) = UnixStream::pair().unwrap();
        let first = null();
        let (between, mut peer_of_between) = UnixStream::pair().unwrap();
        let second = null();
        let (above, mut peer_of_above) = UnixStream::pair().unwrap();
        let kept = [second.as_fd(), first.as_fd()];
        let (entered, wait) = channel();
        let (finish, finished) = channel::<()>();
        std::thread::scope(|scope| {
            let (first, second, kept) = (&first, &second, &kept);
            let thread = scope.spawn(move || {
                let table = match SmallTable::enter(kept) {
                    Ok(table) => table,
                    Err(error) => return eprintln!("skipped: {error}"),
                };
                assert_eq!(open_here(), table.kept);
                assert_eq!(table.kept.len(), 2);
                assert!(first.metadata().is_ok() && second.metadata().is_ok());
                entered.send(()).unwrap();
                // The process has closed what it closed; the others are in use there all the while.
                let _ = finished.recv();
                drop(table);
                assert!(open_here().is_empty());
            });
            if wait.recv().is_ok() {
                drop((below, between, above));
                for peer in [&mut peer_of_below, &mut peer_of_between, &mut peer_of_above] {
                    peer.set_read_timeout(Some(Duration::from_secs(20)))
                        .unwrap();
                    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
                    assert!(peer.write_all(b"x").is_err());
                }
            }
            drop(finish);
            thread.join().unwrap();
        });
        assert!(first.metadata().is_ok() && second.metadata().is_ok());
    }
}
