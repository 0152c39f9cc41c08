//! Readers of the texts that the kernel shows under `/proc`: pure functions. A line or a field that is
//! not there reads as 0 or `None`, since kernels and containers differ in what they show.

/// The figures of `/proc/PID/status` (or of a thread's) that a side's resources need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// Resident set in bytes.
    pub(crate) rss_bytes: u64,
    /// Highest resident set in bytes.
    pub(crate) rss_peak_bytes: u64,
    /// Address space in bytes.
    pub(crate) virtual_bytes: u64,
    /// Threads.
    pub(crate) threads: u32,
    /// Switches because the thread had to wait. Of the one thread only.
    pub(crate) switches_voluntary: u64,
    /// Switches because the kernel took the core away. Of the one thread only.
    pub(crate) switches_involuntary: u64,
}

/// Reads `/proc/PID/status`.
pub(crate) fn status(text: &str) -> Status {
    let mut status = Status::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let number = value
            .split_whitespace()
            .next()
            .and_then(|word| word.parse::<u64>().ok());
        let number = number.unwrap_or(0);
        match name {
            "VmRSS" => status.rss_bytes = number << 10,
            "VmSize" => status.virtual_bytes = number << 10,
            "VmHWM" => status.rss_peak_bytes = number << 10,
            "Threads" => status.threads = u32::try_from(number).unwrap_or(u32::MAX),
            "voluntary_ctxt_switches" => status.switches_voluntary = number,
            "nonvoluntary_ctxt_switches" => status.switches_involuntary = number,
            _ => {}
        }
    }
    status
}

/// Page faults (without, with I/O) from `/proc/PID/stat`. The program's name may hold spaces and
/// brackets, so fields are counted from the last closing bracket.
pub(crate) fn page_faults(text: &str) -> (u64, u64) {
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let field = |index| {
        fields
            .split_whitespace()
            .nth(index)
            .and_then(|word: &str| word.parse().ok())
    };
    // Behind the bracket: state is 0, so minflt, field 10 of proc(5), is 7 and majflt 9.
    (field(7).unwrap_or(0), field(9).unwrap_or(0))
}

/// Process numbers from `/proc/PID/task/TID/children`.
pub(crate) fn children(text: &str) -> Vec<u32> {
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// Processor time of one line of `/proc/stat`, in ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTicks {
    /// All time.
    pub(crate) total: u64,
    /// Waiting, with or without I/O under way.
    pub(crate) idle: u64,
    /// In soft interrupts.
    pub(crate) softirq: u64,
    /// Taken away by the hypervisor.
    pub(crate) steal: u64,
}

/// The figures of `/proc/stat`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stat {
    /// All processors together.
    pub(crate) all: CpuTicks,
    /// Each processor that is online.
    pub(crate) each: Vec<CpuTicks>,
    /// Interrupts since the start of the system.
    pub(crate) interrupts: u64,
}

/// Reads `/proc/stat`.
pub(crate) fn stat(text: &str) -> Stat {
    let mut stat = Stat::default();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("cpu") => stat.all = ticks(words),
            Some("intr") => {
                stat.interrupts = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            }
            Some(name) if name.starts_with("cpu") => stat.each.push(ticks(words)),
            _ => {}
        }
    }
    stat
}

/// user nice system idle iowait irq softirq steal; guest times, behind these, are in user and nice
/// already.
fn ticks<'a>(words: impl Iterator<Item = &'a str>) -> CpuTicks {
    let mut fields = [0_u64; 8];
    for (field, word) in fields.iter_mut().zip(words) {
        *field = word.parse().unwrap_or(0);
    }
    CpuTicks {
        total: fields.iter().sum(),
        idle: fields[3] + fields[4],
        softirq: fields[6],
        steal: fields[7],
    }
}

/// `RetransSegs` from `/proc/net/snmp`, whose values stand below their names.
pub(crate) fn tcp_retransmits(text: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else {
        return 0;
    };
    let pairs = names.split_whitespace().zip(values.split_whitespace());
    let value = pairs
        .filter(|(name, _)| *name == "RetransSegs")
        .map(|(_, value)| value)
        .next();
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Microseconds in which some task waited, from `/proc/pressure/cpu`.
pub(crate) fn pressure_some_us(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    line.split_whitespace()
        .find_map(|word| word.strip_prefix("total="))?
        .parse()
        .ok()
}

/// Bytes of the kernel's objects that are in use, from `/proc/slabinfo`.
pub(crate) fn slab_bytes(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    lines.next().filter(|line| line.starts_with("slabinfo"))?;
    let objects = lines.filter(|line| !line.starts_with('#')).map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let count: u64 = words.next()?.parse().ok()?;
        let size: u64 = words.nth(1)?.parse().ok()?;
        Some(count * size)
    });
    objects.sum()
}

/// A value in bytes, from `/proc/meminfo`.
pub(crate) fn meminfo_bytes(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Pages that TCP sockets have for bytes, from `/proc/net/sockstat`.
pub(crate) fn tcp_pages(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != "mem");
    words.nth(1)?.parse().ok()
}

/// The average of the last minute, from `/proc/loadavg`.
pub(crate) fn load_average(text: &str) -> f64 {
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_the_kernel_is_counted_by_what_is_in_use() {
        let slabs = "slabinfo - version: 2.1\n\
            # name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables\n\
            TCP                 10     24   2432   13    8 : tunables    0    0    0 : slabdata 2 2 0\n\
            filp               100    160    256   16    1 : tunables    0    0    0 : slabdata 10 10 0\n";
        assert_eq!(slab_bytes(slabs), Some(10 * 2432 + 100 * 256));
        assert_eq!(slab_bytes(""), None);
        assert_eq!(slab_bytes("slabinfo - version: 9\nTCP ten"), None);
        let memory = "MemTotal: 100 kB\nKernelStack:        4 kB\n";
        assert_eq!(meminfo_bytes(memory, "KernelStack"), Some(4096));
        assert_eq!(meminfo_bytes(memory, "Kernel"), None);
        let sockets =
            "sockets: used 11\nTCP: inuse 1 orphan 0 tw 19225 alloc 1 mem 5\nUDP: inuse 0 mem 0\n";
        assert_eq!(tcp_pages(sockets), Some(5));
    }

    #[test]
    fn status_is_read_in_bytes() {
        let text = "Name:\tnginx\nVmPeak:\t  9999 kB\nVmSize:\t 4096 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t4\n\
                    voluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t545\n";
        let expected = Status {
            rss_bytes: 1 << 20,
            rss_peak_bytes: 2 << 20,
            virtual_bytes: 4 << 20,
            threads: 4,
            switches_voluntary: 150,
            switches_involuntary: 545,
        };
        assert_eq!(status(text), expected);
        assert_eq!(status(""), Status::default());
    }

    #[test]
    fn page_faults_are_found_behind_any_name() {
        let text = "123 (a (b) c) S 1 2 3 4 5 6 701 8 9 10 11 12\n";
        assert_eq!(page_faults(text), (701, 9));
        assert_eq!(page_faults("no bracket"), (0, 0));
    }

    #[test]
    fn children_are_numbers_with_spaces_between() {
        assert_eq!(children("12 345 \n"), [12, 345]);
        assert!(children("").is_empty());
    }

    #[test]
    fn processors_and_interrupts_are_read() {
        let text = "cpu  10 1 20 100 5 0 7 3 0 0\ncpu0 4 0 10 50 2 0 3 1 0 0\ncpu1 6 1 10 50 3 0 4 2 0 0\n\
                    intr 4321 0 9\nctxt 99\n";
        let stat = stat(text);
        assert_eq!(
            stat.all,
            CpuTicks {
                total: 146,
                idle: 105,
                softirq: 7,
                steal: 3
            }
        );
        assert_eq!(stat.each.len(), 2);
        assert_eq!(stat.interrupts, 4321);
    }

    #[test]
    fn retransmits_are_found_by_their_name() {
        let text = "Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm InSegs RetransSegs InErrs\nTcp: 1 6527 42 0\n";
        assert_eq!(tcp_retransmits(text), 42);
        assert_eq!(tcp_retransmits("Tcp: only names RetransSegs\n"), 0);
    }

    #[test]
    fn pressure_and_load_are_read() {
        let text =
            "some avg10=0.67 avg60=0.93 avg300=0.60 total=9675626\nfull avg10=0.00 total=0\n";
        assert_eq!(pressure_some_us(text), Some(9_675_626));
        assert_eq!(pressure_some_us(""), None);
        assert!((load_average("1.25 0.5 0.1 2/300 99\n") - 1.25).abs() < 1e-9);
    }
}
