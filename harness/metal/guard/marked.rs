//! Processes that left the groups of our children, found by a variable that each of them inherits. It
//! stays with a program that leads a session of its own and with a daemon that is below nobody we know.
//! One that wipes its environment is not found: it then has to have left its group as well.
//!
//! All of this runs in a fork of a process with threads: it makes system calls on its own stack, and
//! neither allocates nor takes a lock.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat};
use rustix::process::{Pid, Signal, kill_process};

/// Scans of /proc: what is found may have just started something. What forks faster than it is killed
/// is not chased for ever.
const ROUNDS_MAX: usize = 64;
/// Room for `4294967295/environ` and its end.
const PATH_MAX: usize = 32;

/// Kills every process whose environment holds `marker`, until a scan finds none.
pub(super) fn kill_marked(marker: &[u8]) {
    for _ in 0..ROUNDS_MAX {
        if scan(marker) == 0 {
            return;
        }
    }
}

/// Kills what it finds and counts it. A process that has ended has no environment any more.
fn scan(marker: &[u8]) -> usize {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(proc) = openat(CWD, c"/proc", flags, Mode::empty()) else {
        return 0;
    };
    let mut room = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(&proc, &mut room);
    let mut found = 0;
    while let Some(Ok(entry)) = entries.next() {
        let Some(pid) = number(entry.file_name()) else {
            continue;
        };
        if is_marked(&proc, entry.file_name(), marker) {
            found += 1;
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    found
}

fn number(name: &CStr) -> Option<Pid> {
    Pid::from_raw(name.to_str().ok()?.parse().ok()?)
}

fn is_marked(proc: impl AsFd, pid: &CStr, marker: &[u8]) -> bool {
    const FILE: &[u8] = b"/environ";
    let (mut path, pid) = ([0; PATH_MAX], pid.to_bytes());
    let ends = (pid.len(), pid.len() + FILE.len());
    if ends.1 >= PATH_MAX {
        return false;
    }
    path[..ends.0].copy_from_slice(pid);
    path[ends.0..ends.1].copy_from_slice(FILE);
    let Ok(path) = CStr::from_bytes_until_nul(&path) else {
        return false;
    };
    openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .is_ok_and(|file| holds(file, marker))
}

/// True when the file holds `marker` anywhere; what two pieces share is looked at with the second.
fn holds(file: impl AsFd, marker: &[u8]) -> bool {
    let mut piece = [0u8; 8192];
    let mut kept = 0;
    loop {
        let got = match rustix::io::read(&file, &mut piece[kept..]) {
            Ok(got) if got > 0 => got,
            _ => return false,
        };
        let filled = kept + got;
        let mut places = piece[..filled].windows(marker.len());
        if places.any(|place| place == marker) {
            return true;
        }
        kept = filled.min(marker.len() - 1);
        piece.copy_within(filled - kept..filled, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn check(text: &[u8], expected: bool) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.rewind().unwrap();
        assert_eq!(holds(&file, b"MARK=1"), expected, "{} bytes", text.len());
    }

    #[test]
    fn a_marker_is_found_wherever_it_lies() {
        for before in [0, 1, 8189, 8192, 20_000] {
            let mut text = vec![b'x'; before];
            check(&text, false);
            text.extend_from_slice(b"MARK=1\0PATH=/");
            check(&text, true);
        }
    }
}
