//! What ended children and the calling thread used, as the kernel adds it up.

use crate::clock::own_cpu_ns;

/// What a thread used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadUsage {
    /// Processor time, in nanoseconds.
    pub cpu_ns: u64,
    /// Time in which it was ready to go on and others had its processor, in nanoseconds; `None` where the kernel does
    /// not tell.
    pub waited_ns: Option<u64>,
    /// Switches because it had to wait.
    pub switches_voluntary: u64,
    /// Switches because the kernel took the processor away.
    pub switches_involuntary: u64,
    /// Page faults without I/O.
    pub faults_minor: u64,
    /// Page faults with I/O.
    pub faults_major: u64,
}

impl ThreadUsage {
    /// Of the calling thread. It takes some microseconds.
    pub fn now() -> Self {
        let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat");
        let usage = usage_of(libc::RUSAGE_THREAD);
        let of = |select: fn(&libc::rusage) -> libc::c_long| {
            usage
                .as_ref()
                .map_or(0, |usage| select(usage).unsigned_abs())
        };
        Self {
            waited_ns: schedstat.ok().and_then(|text| waited_ns(&text)),
            switches_voluntary: of(|usage| usage.ru_nvcsw),
            switches_involuntary: of(|usage| usage.ru_nivcsw),
            faults_minor: of(|usage| usage.ru_minflt),
            faults_major: of(|usage| usage.ru_majflt),
            cpu_ns: own_cpu_ns(),
        }
    }

    /// What it used since an earlier reading of the same thread.
    pub fn since(&self, before: &Self) -> Self {
        let waited = self.waited_ns.zip(before.waited_ns);
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(before.cpu_ns),
            waited_ns: waited.map(|(now, before)| now.saturating_sub(before)),
            switches_voluntary: self
                .switches_voluntary
                .saturating_sub(before.switches_voluntary),
            switches_involuntary: self
                .switches_involuntary
                .saturating_sub(before.switches_involuntary),
            faults_minor: self.faults_minor.saturating_sub(before.faults_minor),
            faults_major: self.faults_major.saturating_sub(before.faults_major),
        }
    }
}

/// The second number of `schedstat`: how long the thread waited on a run queue.
fn waited_ns(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn usage_of(whose: libc::c_int) -> Option<libc::rusage> {
    // SAFETY: all-zero bytes are a valid `rusage`, which is made of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for one rusage for the time of the call.
    let status = unsafe { libc::getrusage(whose, &raw mut usage) };
    // Only a wrong `whose` or a wrong place fails, and both are constants here.
    (status == 0).then_some(usage)
}

/// Processor time of all children that have ended and were waited for, in nanoseconds; the kernel
/// reports microseconds.
pub fn ended_children_cpu_ns() -> u64 {
    let Some(usage) = usage_of(libc::RUSAGE_CHILDREN) else {
        return 0;
    };
    let microseconds =
        |time: libc::timeval| time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_usec.unsigned_abs();
    (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_used_rises_with_its_work() {
        let before = ThreadUsage::now();
        let mut pages = vec![0_u8; 1 << 24];
        for page in pages.chunks_mut(4096) {
            page[0] = 1;
        }
        std::hint::black_box(pages);
        let used = ThreadUsage::now().since(&before);
        assert!(used.cpu_ns > 0 && used.faults_minor > 0, "{used:?}");
        let nothing = before.since(&before);
        assert_eq!((nothing.cpu_ns, nothing.faults_minor), (0, 0));
        assert_eq!(nothing.waited_ns, before.waited_ns.map(|_| 0));
    }

    #[test]
    fn the_wait_is_the_second_number() {
        assert_eq!(waited_ns("1205 3040 7\n"), Some(3040));
        assert_eq!(waited_ns("1205\n"), None);
        assert_eq!(waited_ns("a b c"), None);
    }

    #[test]
    fn a_child_that_ended_is_counted() {
        let before = ended_children_cpu_ns();
        let status = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"])
            .status()
            .unwrap();
        assert!(status.success());
        assert!(ended_children_cpu_ns() > before);
    }
}
