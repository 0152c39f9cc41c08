//! The resources of both sides at an instant: the server's whole process tree, and the generator's
//! own threads.

use std::collections::BTreeMap;
use std::fs;

use ringside_contract::Side;
use ringside_metal::{monotonic_ns, process_cpu_ns, thread_cpu_ns};

use crate::procfs;

/// Whose resources are read.
#[derive(Debug, Clone)]
pub(crate) enum Watched {
    /// A process and everything below it.
    Tree(u32),
    /// These threads of this process; memory is the whole process's.
    Threads(Vec<u32>),
}

/// The cheap part of a reading: only clocks, so that both sides are read within microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clocks {
    /// When it was taken, in nanoseconds of the monotonic clock.
    pub(crate) at_ns: u64,
    cpu_ns: BTreeMap<u32, u64>,
}

/// The dear part: what has to be read from files, one for each process and each thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    rss_bytes: u64,
    rss_peak_bytes: u64,
    virtual_bytes: u64,
    switches_voluntary: u64,
    switches_involuntary: u64,
    faults_minor: u64,
    faults_major: u64,
    threads: u32,
}

impl Watched {
    /// Processes of a tree, or threads.
    pub(crate) fn members(&self) -> Vec<u32> {
        match self {
            Self::Tree(root) => process_tree(*root),
            Self::Threads(threads) => threads.clone(),
        }
    }

    /// Threads, of all processes of a tree.
    pub(crate) fn threads(&self) -> Vec<u32> {
        match self {
            Self::Tree(root) => process_tree(*root)
                .into_iter()
                .flat_map(threads_of)
                .collect(),
            Self::Threads(threads) => threads.clone(),
        }
    }

    /// Reads the processor clocks of `members`; one that has ended is left out.
    pub(crate) fn clocks(&self, members: &[u32]) -> Clocks {
        let read = |&member| {
            let time = match self {
                Self::Tree(_) => process_cpu_ns(member),
                Self::Threads(_) => thread_cpu_ns(member),
            };
            Some((member, time.ok()?))
        };
        Clocks {
            at_ns: monotonic_ns(),
            cpu_ns: members.iter().filter_map(read).collect(),
        }
    }

    /// Adds the clocks of members that live now and are not `known`.
    pub(crate) fn add_born(&self, clocks: &mut Clocks, known: &[u32]) {
        let mut born = self.members();
        born.retain(|member| !known.contains(member));
        clocks.cpu_ns.extend(self.clocks(&born).cpu_ns);
    }

    /// Reads the rest.
    pub(crate) fn usage(&self) -> Usage {
        match self {
            Self::Tree(root) => tree_usage(*root),
            Self::Threads(threads) => thread_usage(threads),
        }
    }
}

/// Processor time from `start` to `end` in nanoseconds. What a process used before the window is taken
/// off; a process that was born in it counts in full, and one that ended in it not at all.
pub(crate) fn cpu_between(start: &Clocks, end: &Clocks) -> u64 {
    let used = |(member, &time): (&u32, &u64)| {
        time.saturating_sub(start.cpu_ns.get(member).copied().unwrap_or(0))
    };
    end.cpu_ns.iter().map(used).sum()
}

/// How many processes or threads of `start` are gone in `end`.
pub(crate) fn ended_between(start: &Clocks, end: &Clocks) -> usize {
    start
        .cpu_ns
        .keys()
        .filter(|member| !end.cpu_ns.contains_key(member))
        .count()
}

/// A side's resources over a window: clocks and usage at both ends.
pub(crate) fn side(clocks: [&Clocks; 2], usage: [Usage; 2], before: Usage, cores: f64) -> Side {
    let cpu_ns = cpu_between(clocks[0], clocks[1]);
    let wall_ns = clocks[1].at_ns.saturating_sub(clocks[0].at_ns).max(1);
    let [start, end] = usage;
    Side {
        cpu_ns,
        cores_busy: cpu_ns as f64 / wall_ns as f64,
        cores,
        rss_peak_bytes: end.rss_peak_bytes,
        rss_before_bytes: before.rss_bytes,
        rss_bytes: end.rss_bytes,
        virtual_before_bytes: before.virtual_bytes,
        virtual_bytes: end.virtual_bytes,
        rss_growth_bytes: signed(end.rss_bytes) - signed(start.rss_bytes),
        context_switches_voluntary: end
            .switches_voluntary
            .saturating_sub(start.switches_voluntary),
        context_switches_involuntary: end
            .switches_involuntary
            .saturating_sub(start.switches_involuntary),
        page_faults_minor: end.faults_minor.saturating_sub(start.faults_minor),
        page_faults_major: end.faults_major.saturating_sub(start.faults_major),
        threads: end.threads,
        syscalls_per_op: None,
    }
}

/// Bytes that may be taken off others.
pub(crate) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Memory is summed over the processes: pages that they share count once for each of them. Switches
/// are summed over living threads: those of a thread that has ended are lost.
fn tree_usage(root: u32) -> Usage {
    let mut usage = Usage::default();
    for process in process_tree(root) {
        let status = procfs::status(&text(&format!("/proc/{process}/status")));
        let (minor, major) = procfs::page_faults(&text(&format!("/proc/{process}/stat")));
        usage.rss_bytes += status.rss_bytes;
        usage.rss_peak_bytes += status.rss_peak_bytes;
        usage.virtual_bytes += status.virtual_bytes;
        usage.threads += status.threads;
        usage.faults_minor += minor;
        usage.faults_major += major;
        for thread in threads_of(process) {
            let status = procfs::status(&text(&format!("/proc/{process}/task/{thread}/status")));
            usage.switches_voluntary += status.switches_voluntary;
            usage.switches_involuntary += status.switches_involuntary;
        }
    }
    usage
}

fn thread_usage(threads: &[u32]) -> Usage {
    let process = procfs::status(&text("/proc/self/status"));
    let mut usage = Usage {
        rss_bytes: process.rss_bytes,
        rss_peak_bytes: process.rss_peak_bytes,
        virtual_bytes: process.virtual_bytes,
        threads: u32::try_from(threads.len()).unwrap_or(u32::MAX),
        ..Usage::default()
    };
    for thread in threads {
        let status = procfs::status(&text(&format!("/proc/self/task/{thread}/status")));
        let (minor, major) = procfs::page_faults(&text(&format!("/proc/self/task/{thread}/stat")));
        usage.switches_voluntary += status.switches_voluntary;
        usage.switches_involuntary += status.switches_involuntary;
        usage.faults_minor += minor;
        usage.faults_major += major;
    }
    usage
}

/// A process and everything below it that lives now; empty when it does not.
fn process_tree(root: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(process) = open.pop() {
        let threads = threads_of(process);
        if threads.is_empty() || found.contains(&process) {
            continue;
        }
        found.push(process);
        for thread in threads {
            open.extend(procfs::children(&text(&format!(
                "/proc/{process}/task/{thread}/children"
            ))));
        }
    }
    found
}

fn threads_of(process: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// A file that is gone, since its process is, reads as empty.
fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(at_ns: u64, cpu: &[(u32, u64)]) -> Clocks {
        Clocks {
            at_ns,
            cpu_ns: cpu.iter().copied().collect(),
        }
    }

    #[test]
    fn processor_time_counts_new_members_in_full_and_ended_ones_not() {
        let start = clocks(0, &[(1, 100), (2, 1000)]);
        let end = clocks(1000, &[(1, 400), (3, 50)]);
        assert_eq!(cpu_between(&start, &end), 350);
        assert_eq!(ended_between(&start, &end), 1);
    }

    #[test]
    fn memory_that_shrinks_grows_by_a_negative_number() {
        let usage = |rss_bytes| Usage {
            rss_bytes,
            ..Usage::default()
        };
        let (start, end) = (clocks(0, &[(1, 0)]), clocks(1000, &[(1, 500)]));
        let side = side([&start, &end], [usage(300), usage(100)], usage(50), 1.0);
        assert_eq!((side.rss_growth_bytes, side.rss_before_bytes), (-200, 50));
        assert!((side.cores_busy - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_child_process_belongs_to_the_tree() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let tree = process_tree(std::process::id());
        let mut clocks = clocks(5, &[]);
        Watched::Tree(std::process::id()).add_born(&mut clocks, &[std::process::id()]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(tree.contains(&child.id()), "{tree:?}");
        assert!(process_tree(child.id()).is_empty());
        assert_eq!(clocks.at_ns, 5);
        assert!(clocks.cpu_ns.contains_key(&child.id()));
        assert!(!clocks.cpu_ns.contains_key(&std::process::id()));
    }
}
