//! How the connections are spread over threads, so that each table of descriptors has room for its share.
//!
//! A process may have so many open files, 20,000 on many machines. The limit is each table's, and a thread
//! may have a table of its own: with several loading threads on one core a load has as many connections as
//! memory allows.

use std::thread;

use ringside_contract::LoadPlan;
use ringside_metal::{own_table, raise_descriptor_limit};

use crate::error::LoadError;

/// Descriptors that a table needs besides its connections.
const OTHER_FILES: u64 = 64;

/// Bytes of free memory that are left alone: a machine without memory measures nothing.
const MEMORY_LEFT_MIN: u64 = 3_500_000_000;

/// The loading threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threads {
    /// How many.
    pub(crate) count: usize,
    /// Each has its own table of descriptors.
    pub(crate) own_tables: bool,
}

/// Raises the limit on open files as far as it goes, and takes as many threads as the connections need.
/// Where one thread has to serve all of them, or where a thread cannot have a table of its own, it takes as
/// many connections as fit, if that is still the load that was asked for.
pub(crate) fn fit(
    plan: &mut LoadPlan,
    processors: usize,
    warnings: &mut Vec<String>,
) -> Result<Threads, LoadError> {
    let count = if plan.together { 1 } else { processors.max(1) };
    let limit = raise_descriptor_limit().unwrap_or(u64::MAX);
    let room = limit.saturating_sub(OTHER_FILES).max(1);
    let wanted = u64::from(plan.connections);
    if wanted <= room {
        return Ok(Threads {
            count,
            own_tables: false,
        });
    }
    if !plan.together && can_have_own_table() {
        let tables = usize::try_from(wanted.div_ceil(room)).unwrap_or(usize::MAX);
        // In full rounds over the processors, so that each has as many threads.
        let count = tables.max(count).next_multiple_of(count);
        return Ok(Threads {
            count,
            own_tables: true,
        });
    }
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    if room < plan.connections_min {
        return Err(LoadError::OpenFiles {
            wanted: plan.connections,
            limit,
            room,
        });
    }
    warnings.push(format!(
        "{room} connections instead of {}: a process here may have {limit} open files (ulimit -n)",
        plan.connections
    ));
    plan.connections = room;
    plan.active = plan.active.min(room);
    Ok(Threads {
        count,
        own_tables: false,
    })
}

/// Tried in a thread that ends, since it cannot be taken back.
fn can_have_own_table() -> bool {
    thread::spawn(|| own_table().is_ok())
        .join()
        .unwrap_or(false)
}

/// Why no further connection may be opened, when memory is short.
pub(crate) fn memory_is_short() -> Option<String> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    short(&text)
}

fn short(meminfo: &str) -> Option<String> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let bytes = kib.saturating_mul(1024);
    (bytes < MEMORY_LEFT_MIN).then(|| {
        let (left, kept) = (bytes as f64 / 1e9, MEMORY_LEFT_MIN as f64 / 1e9);
        format!("only {left:.1} GB of memory are left, and {kept} GB are left alone")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::closed;

    #[test]
    fn connections_beyond_one_table_get_threads_of_their_own() {
        let Some(limit) = raise_descriptor_limit() else {
            eprintln!("skipped: no limit here");
            return;
        };
        if !can_have_own_table() {
            eprintln!("skipped: no thread can have a table of its own here");
            return;
        }
        let fit = |connections, together, processors| {
            let mut plan = LoadPlan {
                connections,
                connections_min: 1,
                together,
                ..closed(1, 1)
            };
            let threads = fit(&mut plan, processors, &mut Vec::new()).unwrap();
            (threads.count, threads.own_tables, plan.connections)
        };
        let many = u32::try_from(limit * 5 / 2).unwrap();
        assert_eq!(fit(100, false, 2), (2, false, 100));
        assert_eq!(fit(many, false, 1), (3, true, many));
        assert_eq!(fit(many, false, 2), (4, true, many));
        let (count, own_tables, fitted) = fit(many, true, 1);
        assert_eq!((count, own_tables), (1, false));
        assert!(u64::from(fitted) < limit);
    }

    #[test]
    fn memory_is_short_below_3_5_gb() {
        assert_eq!(short("MemTotal: 9 kB\nMemAvailable:    8000000 kB\n"), None);
        let because = short("MemAvailable:    3000000 kB\n").unwrap();
        assert!(because.contains("3.1 GB"), "{because}");
        assert_eq!(short("nothing"), None);
    }
}
