//! Hardware counters: whether they can be read here, found out by trying, and misses of the last cache.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

const TYPE_HARDWARE: u32 = 0;
const HARDWARE_CPU_CYCLES: u64 = 0;
const HARDWARE_CACHE_MISSES: u64 = 3;
/// `PERF_FLAG_FD_CLOEXEC`.
const CLOSE_ON_EXEC: libc::c_ulong = 8;

/// Bits of `perf_event_attr.flags`: counts from the start disabled, without the kernel, without the
/// hypervisor.
const DISABLED: u64 = 1;
const EXCLUDE_KERNEL: u64 = 1 << 5;
const EXCLUDE_HYPERVISOR: u64 = 1 << 6;

/// The first version of `perf_event_attr`, 64 bytes: all that an open without sampling needs.
#[repr(C)]
#[derive(Default)]
struct EventAttributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    config1: u64,
}

const _: () = assert!(size_of::<EventAttributes>() == 64);

/// True when this process may read its own cycles.
pub(crate) fn hardware_counters() -> bool {
    let flags = DISABLED | EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR;
    open_event(TYPE_HARDWARE, HARDWARE_CPU_CYCLES, flags).is_ok()
}

/// Misses of the last cache that the thread which made it has had since then, outside of the kernel.
#[derive(Debug)]
pub struct CacheMisses(OwnedFd);

impl CacheMisses {
    /// Counts from now on.
    ///
    /// # Errors
    /// The system's answer: most virtual machines have no such counter.
    pub fn of_this_thread() -> io::Result<Self> {
        let flags = EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR;
        open_event(TYPE_HARDWARE, HARDWARE_CACHE_MISSES, flags).map(Self)
    }

    /// How many there were.
    ///
    /// # Errors
    /// The system's answer.
    pub fn so_far(&self) -> io::Result<u64> {
        let mut value = [0_u8; 8];
        rustix::io::read(&self.0, &mut value[..])?;
        Ok(u64::from_ne_bytes(value))
    }
}

fn open_event(kind: u32, config: u64, flags: u64) -> io::Result<OwnedFd> {
    let attributes = EventAttributes {
        kind,
        size: 64,
        config,
        flags,
        ..EventAttributes::default()
    };
    // SAFETY: the attributes live until the call returns and state their own size; pid 0 is this
    // thread, cpu -1 any processor, group -1 none.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            0,
            -1,
            -1,
            CLOSE_ON_EXEC,
        )
    };
    match i32::try_from(fd) {
        // SAFETY: the kernel has just given us this descriptor; nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}
