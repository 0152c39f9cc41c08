//! Counting what other processes do: system calls through the kernel's `raw_syscalls:sys_enter` trace point, and
//! allocations through probes, both with `perf_event_open(2)`. Counting slows every call down, so it never overlaps a
//! timed window.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use thiserror::Error;

use crate::allocation_probe::AllocationProbe;
use crate::tracefs::Tracefs;

/// Why calls cannot be counted.
#[derive(Debug, Error)]
pub enum CountError {
    /// The number of the trace point could not be found out.
    #[error(
        "failed to read the trace point raw_syscalls:sys_enter ({source}); \
         as root: mount -t tracefs nodev /sys/kernel/tracing"
    )]
    TracePoint {
        /// The system's answer.
        source: io::Error,
    },
    /// A counter could not be opened.
    #[error(
        "failed to open a counter of calls on thread {thread} ({source}); \
         it needs root, or CAP_PERFMON with sysctl kernel.perf_event_paranoid=-1"
    )]
    Open {
        /// The thread.
        thread: u32,
        /// The system's answer.
        source: io::Error,
    },
    /// A counter could not be switched or read.
    #[error("failed to read a counter of calls ({source})")]
    Read {
        /// The system's answer.
        source: io::Error,
    },
}

/// One counter for each thread it was opened on; threads that these create are counted too.
#[derive(Debug)]
pub struct CallCounter {
    counters: Vec<OwnedFd>,
}

impl CallCounter {
    /// Opens a stopped counter of system calls on each of `threads`. A thread that has ended meanwhile is left out.
    ///
    /// # Errors
    /// [`CountError`], whose message says what would allow it.
    pub fn system_calls(threads: &[u32]) -> Result<Self, CountError> {
        let number = Tracefs::open().and_then(|tracefs| tracefs.number(SYSTEM_CALLS));
        let number = number.map_err(|source| CountError::TracePoint { source })?;
        Self::open(&[number], threads)
    }

    /// The same for allocations, for as long as the probes are there.
    ///
    /// # Errors
    /// [`CountError`], whose message says what would allow it.
    pub fn allocations(probe: &AllocationProbe, threads: &[u32]) -> Result<Self, CountError> {
        Self::open(probe.numbers(), threads)
    }

    fn open(trace_points: &[u64], threads: &[u32]) -> Result<Self, CountError> {
        let mut counters = Vec::with_capacity(threads.len() * trace_points.len());
        for &thread in threads {
            for &trace_point in trace_points {
                match open_counter(trace_point, thread) {
                    Ok(counter) => counters.push(counter),
                    Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                    Err(source) => return Err(CountError::Open { thread, source }),
                }
            }
        }
        Ok(Self { counters })
    }

    /// Starts counting.
    ///
    /// # Errors
    /// [`CountError::Read`].
    pub fn start(&self) -> Result<(), CountError> {
        self.switch(ENABLE)
    }

    /// Stops counting and gives the number of calls since the start.
    ///
    /// # Errors
    /// [`CountError::Read`].
    pub fn stop(&self) -> Result<u64, CountError> {
        self.switch(DISABLE)?;
        let mut total = 0;
        for counter in &self.counters {
            let mut value = [0_u8; 8];
            rustix::io::read(counter, &mut value[..]).map_err(|error| CountError::Read {
                source: error.into(),
            })?;
            total += u64::from_ne_bytes(value);
        }
        Ok(total)
    }

    fn switch(&self, request: libc::c_ulong) -> Result<(), CountError> {
        for counter in &self.counters {
            // SAFETY: the descriptor is an open perf event, and this request takes no pointer.
            let status = unsafe { libc::ioctl(counter.as_raw_fd(), request, 0) };
            if status < 0 {
                return Err(CountError::Read {
                    source: io::Error::last_os_error(),
                });
            }
        }
        Ok(())
    }
}

/// `_IO('$', 0)` and `_IO('$', 1)`.
const ENABLE: libc::c_ulong = 0x2400;
const DISABLE: libc::c_ulong = 0x2401;

const SYSTEM_CALLS: &str = "raw_syscalls/sys_enter";

/// The first 64 bytes of the kernel's `perf_event_attr`, its oldest form (`PERF_ATTR_SIZE_VER0`).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
}

const _: () = assert!(size_of::<Attributes>() == 64);

const TRACE_POINT: u32 = 2;
/// Begins stopped; threads that are created later count too.
const DISABLED_AND_INHERITED: u64 = 0b11;

fn open_counter(trace_point: u64, thread: u32) -> io::Result<OwnedFd> {
    let attributes = Attributes {
        kind: TRACE_POINT,
        size: 64,
        config: trace_point,
        flags: DISABLED_AND_INHERITED,
        ..Attributes::default()
    };
    let thread = libc::pid_t::try_from(thread).map_err(io::Error::other)?;
    let (any_cpu, no_group, close_on_exec): (libc::c_int, libc::c_int, libc::c_ulong) = (-1, -1, 8);
    // SAFETY: `attributes` has the size that it states and lives through the call.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            thread,
            any_cpu,
            no_group,
            close_on_exec,
        )
    };
    match libc::c_int::try_from(descriptor) {
        // SAFETY: the kernel has just given this descriptor to us alone.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_sees_the_calls_of_its_thread_or_says_what_would_allow_it() {
        match CallCounter::system_calls(&[this_thread()]) {
            Ok(counter) => {
                counter.start().unwrap();
                for _ in 0..100 {
                    std::hint::black_box(rustix::process::getppid());
                }
                let calls = counter.stop().unwrap();
                assert!((100..200).contains(&calls), "{calls}");
            }
            Err(error) => assert!(error.to_string().contains("root"), "{error}"),
        }
    }

    #[test]
    fn allocations_of_a_thread_are_counted_while_the_probes_are_there_or_it_says_why_not() {
        let probe = match AllocationProbe::install() {
            Ok(probe) => probe,
            Err(error) => {
                assert!(error.to_string().contains("root"), "{error}");
                return;
            }
        };
        let counter = CallCounter::allocations(&probe, &[this_thread()]).unwrap();
        counter.start().unwrap();
        for size in 1..=100_usize {
            std::hint::black_box(vec![1_u8; size]);
        }
        let calls = counter.stop().unwrap();
        assert!((100..200).contains(&calls), "{calls}");
        let listed = |probe: &str| {
            let list = Tracefs::open().unwrap().read("uprobe_events").unwrap();
            list.contains(probe)
        };
        let group = probe.event();
        let group = group.trim_end_matches(":*");
        assert!(listed(group));
        // As a child has it that another thread starts: for a moment.
        let copies: Vec<_> = counter.counters.iter().map(OwnedFd::try_clone).collect();
        let start = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                drop(copies);
            });
            start.wait();
            drop((counter, probe));
        });
        assert!(!listed(group));
    }

    fn this_thread() -> u32 {
        let id = rustix::thread::gettid().as_raw_nonzero().get();
        id.unsigned_abs()
    }
}
