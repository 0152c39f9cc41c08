//! Probes on the C library's functions that give out memory, so that the kernel can count the calls of any process,
//! also of one that was built by somebody else. A probe is a user-space trace point (`uprobe`), see
//! <https://docs.kernel.org/trace/uprobetracer.html>. It costs a trap for each call of a process that is watched, and
//! nothing elsewhere. What a program takes from an allocator of its own is not seen.

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use crate::tracefs::Tracefs;

/// Why there are no probes.
#[derive(Debug, Error)]
pub enum ProbeError {
    /// The function is in no file that this process has mapped.
    #[error(
        "failed to find the file of the C library's {function} ({because}), so that allocations cannot be counted"
    )]
    Function {
        /// Its name.
        function: &'static str,
        /// What was wrong.
        because: String,
    },
    /// A process does not have the file that the probes are in.
    #[error(
        "no process of the server has {file}, in which allocations are looked for: it brings a C library or an \
         allocator of its own along"
    )]
    Unseen {
        /// The C library's file.
        file: String,
    },
    /// The kernel refused.
    #[error(
        "failed to {step} probes for allocations ({source}); it needs root, tracefs (`mount -t tracefs nodev \
         /sys/kernel/tracing`) and a kernel with CONFIG_UPROBE_EVENTS"
    )]
    Kernel {
        /// What was tried.
        step: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

/// The probes. They are removed when this is dropped; what a killed process left, the next one removes.
#[derive(Debug)]
pub struct AllocationProbe {
    tracefs: Tracefs,
    group: String,
    /// The C library's file.
    file: String,
    functions: Vec<&'static str>,
    numbers: Vec<u64>,
}

impl AllocationProbe {
    /// Sets the probes where this process has its C library, which is where other programs have theirs.
    ///
    /// # Errors
    /// [`ProbeError`], whose message says what would allow it.
    pub fn install() -> Result<Self, ProbeError> {
        let fail = |step| move |source| ProbeError::Kernel { step, source };
        let tracefs = Tracefs::open().map_err(fail("find the kernel's"))?;
        let own_groups = own_groups().map_err(fail("name"))?;
        remove_orphans(&tracefs, &own_groups).map_err(fail("read the list of"))?;
        let maps = fs::read_to_string("/proc/self/maps").map_err(fail("find the place of"))?;
        let mut probe = Self {
            tracefs,
            group: format!("{own_groups}{}", std::process::id()),
            file: String::new(),
            functions: Vec::new(),
            numbers: Vec::new(),
        };
        for (function, address) in functions() {
            let (file, offset) = place(&maps, address)
                .map_err(|because| ProbeError::Function { function, because })?;
            let line = format!("p:{}/{function} {file}:{offset:#x}\n", probe.group);
            probe.file = file;
            let set = probe.tracefs.append(LIST, &line);
            set.map_err(fail("set"))?;
            probe.functions.push(function);
            let number = probe.tracefs.number(&format!("{}/{function}", probe.group));
            probe.numbers.push(number.map_err(fail("find"))?);
        }
        Ok(probe)
    }

    /// Whether a process has the probes in it, by its threads.
    ///
    /// # Errors
    /// [`ProbeError::Unseen`]: what is counted would be nothing.
    pub fn check_seen(&self, threads: &[u32]) -> Result<(), ProbeError> {
        let has = |thread: &u32| {
            let maps = fs::read_to_string(format!("/proc/{thread}/maps"));
            maps.is_ok_and(|maps| maps.lines().any(|line| line.ends_with(&self.file)))
        };
        if threads.iter().any(has) {
            return Ok(());
        }
        Err(ProbeError::Unseen {
            file: self.file.clone(),
        })
    }

    /// What `perf record -e` calls all of them together.
    pub fn event(&self) -> String {
        format!("{}:*", self.group)
    }

    /// Their numbers for `perf_event_open(2)`.
    pub(crate) fn numbers(&self) -> &[u64] {
        &self.numbers
    }
}

impl Drop for AllocationProbe {
    fn drop(&mut self) {
        for function in &self.functions {
            remove(&self.tracefs, &self.group, function);
        }
    }
}

/// Waits a little for one that is in use: a child that another thread has just started holds a copy of each counter until
/// it executes its program. One that stays in use is removed by whoever comes next.
fn remove(tracefs: &Tracefs, group: &str, event: &str) {
    let command = format!("-:{group}/{event}\n");
    for _ in 0..REMOVALS {
        match tracefs.append(LIST, &command) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => thread::sleep(REMOVAL_PAUSE),
            _ => return,
        }
    }
}

/// What the groups of probes begin with that processes of this namespace set, before their ids: ids of processes mean
/// something in one namespace only.
fn own_groups() -> io::Result<String> {
    let namespace = fs::read_link("/proc/self/ns/pid")?;
    let digits = |letter: &char| letter.is_ascii_digit();
    let number: String = namespace.to_string_lossy().chars().filter(digits).collect();
    Ok(format!("ringside_{number}_"))
}

/// Removes the probes of processes that are no more.
fn remove_orphans(tracefs: &Tracefs, own_groups: &str) -> io::Result<()> {
    let list = tracefs.read(LIST)?;
    for (group, event) in list.lines().filter_map(|line| own(line, own_groups)) {
        let process = &group[own_groups.len()..];
        if !fs::exists(format!("/proc/{process}"))? {
            remove(tracefs, group, event);
        }
    }
    Ok(())
}

/// Group and event of a line such as `p:ringside_4026531836_7/malloc /usr/lib/libc.so.6:0x000000000009cc90`, if it is
/// of one of `own_groups`.
fn own<'a>(line: &'a str, own_groups: &str) -> Option<(&'a str, &'a str)> {
    let (name, _) = line.strip_prefix("p:")?.split_once(' ')?;
    let (group, event) = name.split_once('/')?;
    let process = group.strip_prefix(own_groups)?;
    let is_number = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((group, event))
}

/// The functions and where this process has them.
fn functions() -> [(&'static str, usize); 5] {
    [
        ("malloc", libc::malloc as *const () as usize),
        ("calloc", libc::calloc as *const () as usize),
        ("realloc", libc::realloc as *const () as usize),
        ("posix_memalign", libc::posix_memalign as *const () as usize),
        ("aligned_alloc", libc::aligned_alloc as *const () as usize),
    ]
}

/// File and offset of an address, by the lines of `/proc/self/maps`.
fn place(maps: &str, address: usize) -> Result<(String, usize), String> {
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let range = words.next().and_then(|range| range.split_once('-'));
        let Some((start, end)) = range else { continue };
        let hex = |text: &str| usize::from_str_radix(text, 16).map_err(|_| format!("`{line}`"));
        let (start, end) = (hex(start)?, hex(end)?);
        if !(start..end).contains(&address) {
            continue;
        }
        let offset = hex(words.nth(1).unwrap_or_default())?;
        // Behind it are the device and the number of the file; a path may hold spaces, which a probe cannot name.
        let path: Vec<&str> = words.skip(2).collect();
        return match path[..] {
            [path] if path.starts_with('/') => Ok((path.to_owned(), address - start + offset)),
            _ => Err(format!("it is in `{}`", path.join(" "))),
        };
    }
    Err("it is in no mapped file".to_owned())
}

/// The file in which probes are listed, set and removed.
const LIST: &str = "uprobe_events";

/// How often a probe that is in use is tried to be removed, and the pause between: half a second in all.
const REMOVALS: u32 = 250;
const REMOVAL_PAUSE: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_function_is_its_file_and_offset() {
        let maps = "7f00-7fff r--p 00000000 fe:00 12 /usr/lib/libc.so.6\n\
                    8000-9000 r-xp 00026000 fe:00 12                 /usr/lib/libc.so.6\n\
                    9000-a000 rw-p 00000000 00:00 0\n\
                    a000-b000 r-xp 00000000 fe:00 12 /a b.so\n";
        let found = place(maps, 0x8cc0).unwrap();
        assert_eq!(found, ("/usr/lib/libc.so.6".to_owned(), 0x26cc0));
        assert!(place(maps, 0x9cc0).is_err());
        assert!(place(maps, 0xacc0).unwrap_err().contains("/a b.so"));
        assert!(place(maps, 0xffff).unwrap_err().contains("no mapped file"));
    }

    #[test]
    fn only_probes_of_this_program_are_taken_for_its_own() {
        let own = |line| own(line, "ringside_40_");
        let line = "p:ringside_40_7/malloc /usr/lib/libc.so.6:0x000000000009cc90";
        assert_eq!(own(line), Some(("ringside_40_7", "malloc")));
        assert_eq!(own("p:probe_libc/malloc /usr/lib/libc.so.6:0x1"), None);
        assert_eq!(own("p:ringside_41_7/malloc /usr/lib/libc.so.6:0x1"), None);
        assert_eq!(own("p:ringside_40_x/malloc /usr/lib/libc.so.6:0x1"), None);
        assert_eq!(own("r:ringside_40_7/malloc /usr/lib/libc.so.6:0x1"), None);
    }
}
