//! What ended children used, as the kernel adds it up.

/// Processor time of all children that have ended and were waited for, in nanoseconds; the kernel
/// reports microseconds.
pub fn ended_children_cpu_ns() -> u64 {
    // SAFETY: all-zero bytes are a valid `rusage`, which is made of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for one rusage for the time of the call.
    let status = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    if status != 0 {
        // Only a wrong `who` or a wrong place fails, and both are constants here.
        return 0;
    }
    let microseconds =
        |time: libc::timeval| time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_usec.unsigned_abs();
    (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

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
