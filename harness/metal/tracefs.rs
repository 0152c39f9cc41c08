//! The kernel's files of trace points and probes.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// The root of tracefs.
#[derive(Debug)]
pub(crate) struct Tracefs(OwnedFd);

impl Tracefs {
    /// Looks where it is usually mounted, then makes an instance that is mounted nowhere (which root may do and which
    /// leaves no trace).
    ///
    /// # Errors
    /// The system's answer at the usual place.
    pub(crate) fn open() -> io::Result<Self> {
        let mut refused = None;
        for root in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            let opened = open(root, flags, Mode::empty()).map(Self);
            // The folder is there also where nothing is mounted on it.
            match opened.map_err(io::Error::from).and_then(Self::with_events) {
                Ok(root) => return Ok(root),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        unmounted()
            .and_then(Self::with_events)
            .map_err(|error| refused.unwrap_or(error))
    }

    fn with_events(self) -> io::Result<Self> {
        self.open_file("events/enable", OFlags::RDONLY)?;
        Ok(self)
    }

    /// The number of an event, such as `raw_syscalls/sys_enter`, by which `perf_event_open(2)` knows it.
    ///
    /// # Errors
    /// The system's answer.
    pub(crate) fn number(&self, event: &str) -> io::Result<u64> {
        parse_number(&self.read(&format!("events/{event}/id"))?)
    }

    /// The whole text of a file.
    ///
    /// # Errors
    /// The system's answer.
    pub(crate) fn read(&self, path: &str) -> io::Result<String> {
        io::read_to_string(self.open_file(path, OFlags::RDONLY)?)
    }

    /// Writes a command behind what a file already says.
    ///
    /// # Errors
    /// The system's answer.
    pub(crate) fn append(&self, path: &str, line: &str) -> io::Result<()> {
        let mut file = self.open_file(path, OFlags::WRONLY | OFlags::APPEND)?;
        file.write_all(line.as_bytes())
    }

    fn open_file(&self, path: &str, flags: OFlags) -> io::Result<File> {
        let file = openat(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty())?;
        Ok(File::from(file))
    }
}

fn unmounted() -> io::Result<Tracefs> {
    let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let root = fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )?;
    Ok(Tracefs(root))
}

fn parse_number(text: &str) -> io::Result<u64> {
    text.trim()
        .parse()
        .map_err(|_| io::Error::other(format!("`{}` is no number", text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_event_is_read_with_its_newline() {
        assert_eq!(parse_number("391\n").unwrap(), 391);
        assert!(parse_number("nothing").is_err());
    }
}
