//! A file or folder that belongs to one process at a time.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// An open file or folder under an exclusive `flock`, which ends with this value or with the process.
///
/// It is given back in so many words, not by closing alone: such a lock lasts until the last copy of the
/// descriptor is closed, and a process that another thread is just starting has one until its `exec`.
#[derive(Debug)]
pub struct Held<F: AsFd>(F);

impl<F: AsFd> Held<F> {
    /// Takes `file`.
    ///
    /// # Errors
    /// Of kind [`io::ErrorKind::WouldBlock`] when somebody else holds it; otherwise the system's answer.
    pub fn take(file: F) -> io::Result<Self> {
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self(file))
    }

    /// Takes `file`; `None` when somebody else holds it. A file system without locks has to do without.
    pub fn take_where_supported(file: F) -> Option<Self> {
        let taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
        (taken != Err(Errno::WOULDBLOCK)).then_some(Self(file))
    }

    /// The open file or folder.
    pub const fn file_mut(&mut self) -> &mut F {
        &mut self.0
    }
}

impl<F: AsFd> Drop for Held<F> {
    fn drop(&mut self) {
        // Where it fails there was no lock, and closing ends what there was.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_is_held_is_free_again_though_a_copy_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let held = Held::take(File::create(&path).unwrap()).unwrap();
        let copy = held.0.try_clone().unwrap();
        let refused = Held::take(File::open(&path).unwrap()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        assert!(Held::take_where_supported(File::open(&path).unwrap()).is_none());
        drop(held);
        assert!(Held::take(File::open(&path).unwrap()).is_ok());
        drop(copy);
    }
}
