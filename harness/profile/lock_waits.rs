//! Which part of the waiting is waiting for locks.

use crate::folded::Folded;

/// The stacks that went through the kernel's `futex`, on which locks, condition variables and channels of threads wait.
/// A stack without names of the kernel is known by the C library's or Rust's own function.
pub fn lock_waits(off_processor: &Folded) -> Folded {
    off_processor.only(|frame| MARKS.iter().any(|mark| frame.contains(mark)))
}

/// In names of functions that wait for a lock.
const MARKS: [&str; 5] = [
    "futex",
    "lll_lock_wait",
    "pthread_mutex_lock",
    "pthread_cond_wait",
    "pthread_cond_timedwait",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waits_for_a_lock_is_kept() {
        let all = "t;main;epoll_wait;do_epoll_wait_[k] 90\nt;lock;do_futex_[k];schedule_[k] 7\nt;[preempted]_[k] 3\n";
        let waits = lock_waits(&all.parse().unwrap());
        assert_eq!(waits.to_string(), "t;lock;do_futex_[k];schedule_[k] 7\n");
    }
}
