//! Who is whose child and in which session, as /proc shows it now. Read from there and not asked of
//! `getsid`: in a process namespace whose session was led from outside of it (a container's shell, a
//! sandboxed build) our session has the number 0, which is a true answer but no process id.

use std::fs;
use std::path::Path;

use rustix::process::Pid;

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) pid: Pid,
    /// 0 when the parent is outside of our namespace.
    pub(super) parent: i32,
    /// 0 when the session's leader is outside of our namespace.
    pub(super) session: i32,
}

/// Every process; one that ends meanwhile is left out.
pub(super) fn table() -> Vec<Entry> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    pids.filter_map(entry_of).collect()
}

/// The session of `pid`, while it lives.
pub(super) fn session_of(pid: Pid) -> Option<i32> {
    entry_of(pid).map(|entry| entry.session)
}

/// Every process below `root`.
pub(super) fn descendants(root: Pid) -> Vec<Pid> {
    let table = table();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next].as_raw_pid();
        let children = table.iter().filter(|entry| entry.parent == parent);
        found.extend(children.map(|entry| entry.pid));
        next += 1;
    }
    found.split_off(1)
}

fn entry_of(pid: Pid) -> Option<Entry> {
    let stat = Path::new("/proc")
        .join(pid.as_raw_pid().to_string())
        .join("stat");
    parse(pid, &fs::read_to_string(stat).ok()?)
}

/// Parses `/proc/PID/stat`: state, parent, group and session follow the name.
fn parse(pid: Pid, stat: &str) -> Option<Entry> {
    // The name in brackets may hold spaces and brackets itself.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(1);
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Entry {
        pid,
        parent,
        session,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_a_session_led_from_outside_are_read() {
        let pid = Pid::from_raw(42).unwrap();
        let entry = parse(pid, "42 (a) b (c)) S 7 42 0 0 -1 4194560\n").unwrap();
        assert_eq!((entry.pid, entry.parent, entry.session), (pid, 7, 0));
        assert_eq!(parse(pid, "42 (cut"), None);
        assert_eq!(parse(pid, "42 (cut) S 7"), None);
    }

    #[test]
    fn this_process_is_in_the_table_once() {
        let own = rustix::process::getpid();
        let entries = table();
        assert_eq!(entries.iter().filter(|entry| entry.pid == own).count(), 1);
    }
}
