//! The machine as a whole at two instants.

use std::fs;

use ringside_contract::System;

use crate::procfs::{self, CpuTicks, Stat};

/// What the machine had counted at one instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct SystemReading {
    stat: Stat,
    retransmits: u64,
    pressure_us: Option<u64>,
}

impl SystemReading {
    /// Reads it now.
    pub(crate) fn now() -> Self {
        Self {
            stat: procfs::stat(&text("/proc/stat")),
            retransmits: procfs::tcp_retransmits(&text("/proc/net/snmp")),
            pressure_us: procfs::pressure_some_us(&text("/proc/pressure/cpu")),
        }
    }

    /// What happened from `self` to `end`, which are `duration_s` seconds apart.
    pub(crate) fn until(&self, end: &Self, duration_s: f64, load_before: f64) -> System {
        let all = difference(self.stat.all, end.stat.all);
        let waited_us = self
            .pressure_us
            .zip(end.pressure_us)
            .map(|(a, b)| b.saturating_sub(a));
        System {
            steal_share: share(all.steal, all.total),
            softirq_share: share(all.softirq, all.total),
            interrupts: end.stat.interrupts.saturating_sub(self.stat.interrupts),
            tcp_retransmits: end.retransmits.saturating_sub(self.retransmits),
            pressure_cpu: waited_us.map(|us| (us as f64 / 1e6 / duration_s).min(1.0)),
            load_before,
            cpu_busy: self.cpu_busy_until(end),
            kernel_memory_growth_bytes: None,
        }
    }

    /// Share of the time in which each processor was not idle.
    pub(crate) fn cpu_busy_until(&self, end: &Self) -> Vec<f64> {
        let each = self.stat.each.iter().zip(&end.stat.each);
        each.map(|(&start, &end)| difference(start, end))
            .map(|ticks| share(ticks.total.saturating_sub(ticks.idle), ticks.total))
            .collect()
    }
}

/// Bytes that the kernel has for itself and that a connection, a thread or a process adds to. What lies
/// ready in its caches is left out, since connections of an earlier block left it.
pub(crate) fn kernel_memory() -> Option<u64> {
    /// Bytes of a page of the architectures that Linux is measured on here.
    const PAGE: u64 = 4096;
    let memory = text("/proc/meminfo");
    Some(
        procfs::slab_bytes(&text("/proc/slabinfo"))?
            + procfs::meminfo_bytes(&memory, "KernelStack")?
            + procfs::meminfo_bytes(&memory, "PageTables")?
            + PAGE * procfs::tcp_pages(&text("/proc/net/sockstat"))?,
    )
}

/// The load average of the last minute.
pub(crate) fn load_before() -> f64 {
    procfs::load_average(&text("/proc/loadavg"))
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn difference(start: CpuTicks, end: CpuTicks) -> CpuTicks {
    CpuTicks {
        total: end.total.saturating_sub(start.total),
        idle: end.idle.saturating_sub(start.idle),
        softirq: end.softirq.saturating_sub(start.softirq),
        steal: end.steal.saturating_sub(start.steal),
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_from_the_differences() {
        let reading = |busy, idle, pressure_us| {
            let ticks = CpuTicks {
                total: busy + idle,
                idle,
                softirq: busy / 2,
                steal: 0,
            };
            let stat = Stat {
                all: ticks,
                each: vec![ticks],
                interrupts: busy * 10,
            };
            SystemReading {
                stat,
                retransmits: busy,
                pressure_us: Some(pressure_us),
            }
        };
        let system = reading(100, 1000, 0).until(&reading(150, 1050, 250_000), 0.5, 1.5);
        assert!((system.cpu_busy[0] - 0.5).abs() < 1e-9);
        assert!((system.softirq_share - 0.25).abs() < 1e-9);
        assert_eq!((system.interrupts, system.tcp_retransmits), (500, 50));
        assert!((system.pressure_cpu.unwrap() - 0.5).abs() < 1e-9);
    }
}
