//! Waiting for readiness with a time-out in nanoseconds, as pacing needs it: `epoll_wait` rounds up to
//! whole milliseconds, in which a generator misses a hundred intended times.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

use rustix::event::epoll::Event;

/// Waits until something is ready or `timeout` has passed, and replaces `events` by what is ready, as
/// many as its capacity holds. An interrupting signal counts as nothing ready.
///
/// # Errors
/// The system's answer: `ENOSYS` before Linux 5.11.
pub fn wait_events(
    epoll: BorrowedFd<'_>,
    events: &mut Vec<Event>,
    timeout: Duration,
) -> io::Result<()> {
    events.clear();
    let capacity = libc::c_int::try_from(events.capacity().max(1)).unwrap_or(libc::c_int::MAX);
    events.reserve(1);
    let time = libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    };
    // SAFETY: the vector has room for `capacity` events, whose layout is the kernel's `epoll_event`;
    // `time` lives through the call, and a null signal mask with size 0 means no mask.
    let ready = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            events.as_mut_ptr(),
            capacity,
            &raw const time,
            std::ptr::null::<libc::sigset_t>(),
            0_usize,
        )
    };
    match usize::try_from(ready) {
        // SAFETY: the kernel filled in the first `ready` events, at most `capacity`.
        Ok(ready) => unsafe { events.set_len(ready) },
        Err(_) => {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
    Ok(())
}

const _: () = assert!(size_of::<Event>() == size_of::<libc::epoll_event>());

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use rustix::event::{EventfdFlags, epoll, eventfd};

    use super::*;

    #[test]
    fn a_ready_descriptor_is_reported_with_its_data() {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let ready = eventfd(1, EventfdFlags::NONBLOCK).unwrap();
        epoll::add(
            &epoll,
            &ready,
            epoll::EventData::new_u64(7),
            epoll::EventFlags::IN,
        )
        .unwrap();
        let mut events = Vec::with_capacity(4);
        wait_events(epoll.as_fd(), &mut events, Duration::from_secs(5)).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!({ events[0].data }.u64(), 7);
    }

    #[test]
    fn a_timeout_below_a_millisecond_ends_with_nothing_ready() {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let mut events = Vec::with_capacity(4);
        wait_events(epoll.as_fd(), &mut events, Duration::from_micros(50)).unwrap();
        assert!(events.is_empty());
    }
}
