//! Clocks: the monotonic one, and the processor time of other processes and threads.
//!
//! Processor time is read through the kernel's per-process clocks, whose resolution is a nanosecond;
//! the tick counts of `/proc/PID/stat` are 7 % noise on a block of 100 ms.

use std::io;

/// Nanoseconds of `CLOCK_MONOTONIC`. Goes through the vDSO: about 25 ns a call.
pub fn monotonic_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    nanoseconds(time.tv_sec, time.tv_nsec)
}

/// Processor time that all threads of process `pid` used so far, ended ones included, in nanoseconds.
///
/// # Errors
/// `EINVAL` or `ESRCH` when there is no such process.
pub fn process_cpu_ns(pid: u32) -> io::Result<u64> {
    read(clock_of(pid, PROCESS))
}

/// Processor time that thread `tid` used so far, in nanoseconds. It must be a thread of this process.
///
/// # Errors
/// `EINVAL` when it is not.
pub fn thread_cpu_ns(tid: u32) -> io::Result<u64> {
    read(clock_of(tid, THREAD))
}

/// Processor time that the calling thread used so far, in nanoseconds.
pub fn own_cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    nanoseconds(time.tv_sec, time.tv_nsec)
}

/// The processor's time-stamp counter: cycles of its nominal rate, whatever its speed is at the moment. `None` where no
/// such instruction is known.
#[inline]
pub fn time_stamp() -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this kind has the instruction, which only reads.
    return Some(unsafe { std::arch::x86_64::_rdtsc() });
    #[cfg(not(target_arch = "x86_64"))]
    None
}

/// `CPUCLOCK_SCHED`: nanoseconds as the scheduler counts them, of the whole process.
const PROCESS: libc::clockid_t = 2;
/// The same with the bit for a single thread.
const THREAD: libc::clockid_t = 6;

/// The number that the kernel gives to the clock of another task: its complement above three bits.
fn clock_of(task: u32, kind: libc::clockid_t) -> libc::clockid_t {
    (!(task as libc::clockid_t) << 3) | kind
}

fn read(clock: libc::clockid_t) -> io::Result<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for one timespec, and the kernel checks the clock's number.
    let status = unsafe { libc::clock_gettime(clock, &raw mut time) };
    if status == 0 {
        Ok(nanoseconds(time.tv_sec, time.tv_nsec))
    } else {
        Err(io::Error::last_os_error())
    }
}

fn nanoseconds(seconds: i64, nanoseconds: i64) -> u64 {
    seconds.unsigned_abs() * 1_000_000_000 + nanoseconds.unsigned_abs()
}

/// Milliseconds since the machine started, exact to one kernel tick (4 ms at 250 Hz). Reading it
/// costs about 5 ns, since the kernel keeps the value ready: good for time-outs, wrong for latency.
#[inline]
pub fn coarse_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_processor_time_grows_with_work_and_holds_the_threads() {
        let thread = rustix::thread::gettid()
            .as_raw_nonzero()
            .get()
            .unsigned_abs();
        let before = (
            process_cpu_ns(std::process::id()).unwrap(),
            thread_cpu_ns(thread).unwrap(),
        );
        let mut sum = 1_u64;
        while thread_cpu_ns(thread).unwrap() < before.1 + 2_000_000 {
            sum = std::hint::black_box(sum.wrapping_mul(31));
        }
        let after = process_cpu_ns(std::process::id()).unwrap();
        assert!(after >= before.0 + 2_000_000, "{before:?} {after}");
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        // Above pid_max, which is 4,194,304 at most.
        assert!(process_cpu_ns(4_194_305).is_err());
    }
}
