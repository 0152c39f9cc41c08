//! Counting system calls of other processes through the kernel's `raw_syscalls:sys_enter` trace point
//! and `perf_event_open(2)`. Counting slows every call down, so it never overlaps a timed window.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;

use thiserror::Error;

/// Why system calls cannot be counted.
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
        "failed to open a counter of system calls on thread {thread} ({source}); \
         it needs root, or CAP_PERFMON with sysctl kernel.perf_event_paranoid=-1"
    )]
    Open {
        /// The thread.
        thread: u32,
        /// The system's answer.
        source: io::Error,
    },
    /// A counter could not be switched or read.
    #[error("failed to read a counter of system calls ({source})")]
    Read {
        /// The system's answer.
        source: io::Error,
    },
}

/// One counter for each thread it was opened on; threads that these create are counted too.
#[derive(Debug)]
pub struct SyscallCounter {
    counters: Vec<OwnedFd>,
}

impl SyscallCounter {
    /// Opens a stopped counter on each of `threads`. A thread that has ended meanwhile is left out.
    ///
    /// # Errors
    /// [`CountError`], whose message says what would allow it.
    pub fn open(threads: &[u32]) -> Result<Self, CountError> {
        let trace_point =
            trace_point_number().map_err(|source| CountError::TracePoint { source })?;
        let mut counters = Vec::with_capacity(threads.len());
        for &thread in threads {
            match open_counter(trace_point, thread) {
                Ok(counter) => counters.push(counter),
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                Err(source) => return Err(CountError::Open { thread, source }),
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

const TRACE_POINT_FILE: &str = "events/raw_syscalls/sys_enter/id";

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

/// Looks where tracefs is usually mounted, then in an instance of it that is mounted nowhere (which
/// root may create and which leaves no trace).
fn trace_point_number() -> io::Result<u64> {
    let mut refused = None;
    for root in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
        match fs::read_to_string(Path::new(root).join(TRACE_POINT_FILE)) {
            Ok(text) => return parse_number(&text),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match read_unmounted() {
        Ok(text) => parse_number(&text),
        Err(_) => Err(refused.unwrap_or_else(|| io::Error::other("tracefs is not there"))),
    }
}

fn parse_number(text: &str) -> io::Result<u64> {
    text.trim()
        .parse()
        .map_err(|_| io::Error::other(format!("`{}` is no number", text.trim())))
}

fn read_unmounted() -> io::Result<String> {
    use rustix::fs::{Mode, OFlags, openat};
    use rustix::mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen,
    };
    let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let root = fsmount(
        &context,
        FsMountFlags::FSMOUNT_CLOEXEC,
        MountAttrFlags::empty(),
    )?;
    let file = openat(
        &root,
        TRACE_POINT_FILE,
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    io::read_to_string(fs::File::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_sees_the_calls_of_its_thread_or_says_what_would_allow_it() {
        let thread = rustix::thread::gettid()
            .as_raw_nonzero()
            .get()
            .unsigned_abs();
        match SyscallCounter::open(&[thread]) {
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
    fn the_number_of_a_trace_point_is_read_with_its_newline() {
        assert_eq!(parse_number("391\n").unwrap(), 391);
        assert!(parse_number("nothing").is_err());
    }
}
