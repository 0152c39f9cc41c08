//! What of a file is in memory and not yet on its disk.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// Pages of the file that are to be written, or are being written, by cachestat(2).
///
/// # Errors
/// The system's answer: `ENOSYS` before Linux 6.5.
pub fn unwritten_pages(file: &File) -> io::Result<u64> {
    // From the first byte, and a length of 0 is to the end.
    let range = [0_u64; 2];
    // Cached, dirty, under write-back, evicted, recently evicted.
    let mut counts = [0_u64; 5];
    // SAFETY: the kernel reads `range`, writes as many numbers as `counts` has, and keeps neither.
    let answer = unsafe {
        libc::syscall(
            CACHESTAT,
            file.as_raw_fd(),
            range.as_ptr(),
            counts.as_mut_ptr(),
            0,
        )
    };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(counts[1] + counts[2])
}

/// The number is the same on every architecture.
const CACHESTAT: libc::c_long = 451;

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_not_synced_is_told() {
        // Not where files of tests usually are, which may be memory.
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        match unwritten_pages(&file) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                eprintln!("skipped: {error}, which takes Linux 6.5");
                return;
            }
            clean => assert_eq!(clean.unwrap(), 0),
        }
        file.write_all(&[1; 10_000]).unwrap();
        let before = unwritten_pages(&file).unwrap();
        file.sync_data().unwrap();
        let after = unwritten_pages(&file).unwrap();
        assert_eq!(after, 0);
        // The kernel may have written them by itself, but hardly within a moment.
        assert!(before <= 3, "{before}");
    }
}
