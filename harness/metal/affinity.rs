//! Binding threads to processors.

use std::io;

use rustix::thread::{CpuSet, sched_setaffinity};

/// Binds the calling thread, and the threads it starts from now on, to these processors. An empty
/// list changes nothing.
///
/// # Errors
/// A number beyond what the system's set can hold, or the system's answer: `EINVAL` when none of
/// the processors may be used by this process.
pub fn pin(cpus: &[usize]) -> io::Result<()> {
    if cpus.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for &cpu in cpus {
        if cpu >= CpuSet::MAX_CPU {
            let message = format!("processor {cpu} is beyond the last possible one");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        set.set(cpu);
    }
    Ok(sched_setaffinity(None, &set)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::thread::sched_getaffinity;

    #[test]
    fn a_pinned_thread_may_use_only_that_processor() {
        let allowed = sched_getaffinity(None).unwrap();
        let cpu = (0..CpuSet::MAX_CPU)
            .find(|&cpu| allowed.is_set(cpu))
            .unwrap();
        // A thread of its own: the test runner's thread keeps its freedom.
        let pinned = std::thread::spawn(move || {
            pin(&[cpu]).unwrap();
            sched_getaffinity(None).unwrap()
        });
        let pinned = pinned.join().unwrap();
        assert_eq!((pinned.count(), pinned.is_set(cpu)), (1, true));
    }

    #[test]
    fn impossible_processors_are_refused() {
        assert!(pin(&[]).is_ok());
        assert!(pin(&[usize::MAX]).is_err());
    }
}
