//! How many files and sockets this process may have open.

use std::io;
use std::os::fd::AsFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Raises the soft limit on descriptors (`ulimit -n`) to the hard one, which needs no privilege, and
/// gives what holds then; `None` is no limit. A refusal leaves the limit as it was.
pub fn raise_descriptor_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(_) => current,
    }
}

/// Has the kernel make the table of descriptors large enough for `count` of them. It grows by itself, and each growth
/// waits until no other thread of the process can look at the old one, which takes milliseconds: whoever times how long
/// it takes to open something does not want to time that.
///
/// # Errors
/// The system's answer: `EINVAL` for more than the limit allows.
pub fn widen_table(count: u32) -> io::Result<()> {
    let stdin = io::stdin();
    let last = i32::try_from(count.saturating_sub(1)).unwrap_or(i32::MAX);
    // It is closed again at once; the table stays as large as it is.
    fcntl_dupfd_cloexec(stdin.as_fd(), last)
        .map(drop)
        .map_err(io::Error::from)
}

/// Gives the calling thread a table of descriptors of its own, a copy of what the process has open. What
/// either opens or closes from then on, the other does not see: the limit counts for each table.
///
/// What was open before stays open in both until each has closed it. So descriptors that are shared must
/// be open before, and those that the thread opens must stay with it.
///
/// # Errors
/// The system's answer: `EPERM` where a filter on system calls refuses it.
pub fn own_table() -> io::Result<()> {
    // SAFETY: no memory is touched. A descriptor that was open before is the same file in both tables, so
    // that whoever owns it can use and close it in either; a number that is closed here and opened anew
    // belongs to the thread alone. That those never reach another thread is what callers are told to keep.
    unsafe { unshare_unsafe(UnshareFlags::FILES) }.map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_its_own_keeps_what_was_open_and_shares_nothing_new() {
        let before = std::fs::File::open("/dev/null").unwrap();
        let files_of = |path: String| std::fs::read_dir(path).unwrap().count();
        let counts = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                if own_table().is_err() {
                    eprintln!("skipped: this system refuses it");
                    return None;
                }
                assert!(before.metadata().is_ok());
                let open = |_| std::fs::File::open("/dev/null").unwrap();
                let _files: Vec<_> = (0..64).map(open).collect();
                let process = std::process::id();
                let thread = rustix::thread::gettid();
                let own = files_of(format!("/proc/{process}/task/{thread}/fd"));
                Some((own, files_of(format!("/proc/{process}/fd"))))
            });
            thread.join().unwrap()
        });
        if let Some((own, process)) = counts {
            assert!(own >= 64 && process < own, "{own} {process}");
        }
    }

    #[test]
    fn a_table_is_widened_as_far_as_the_limit_allows() {
        // Another test raises it at any moment.
        let limit = raise_descriptor_limit().unwrap_or(1 << 20);
        let low = u32::try_from(limit.min(300)).unwrap();
        assert!(widen_table(low).is_ok());
        if let Ok(beyond) = u32::try_from(limit + 1) {
            assert!(widen_table(beyond).is_err());
        }
    }

    #[test]
    fn soft_limit_becomes_the_hard_one() {
        let limit = raise_descriptor_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!((current, limit), (maximum, maximum));
    }
}
