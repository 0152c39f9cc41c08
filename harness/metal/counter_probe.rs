//! Whether hardware counters can be read here: found out by trying.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

const TYPE_HARDWARE: u32 = 0;
const HARDWARE_CPU_CYCLES: u64 = 0;
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
