//! Readiness: one `epoll` instance, its batch of events, and an `eventfd` that wakes it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

/// What a descriptor is watched for, and what was seen.
pub use rustix::event::epoll::EventFlags as Interest;

/// Everything about a connection, reported once for each change: registered once, a connection needs
/// no further `epoll_ctl`. Against level-triggered this also saves one poll of the socket for each
/// event, since the kernel does not put the descriptor back on its ready list.
pub const CONNECTION: Interest = Interest::IN
    .union(Interest::OUT)
    .union(Interest::RDHUP)
    .union(Interest::ET);

/// One `epoll` instance.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// Makes an instance.
    ///
    /// # Errors
    /// The system's answer, such as no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        })
    }

    /// Watches a descriptor; its events carry `token`.
    ///
    /// # Errors
    /// The system's answer, such as no memory left.
    #[inline]
    pub fn add(&self, source: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            source,
            epoll::EventData::new_u64(token),
            interest,
        )?)
    }

    /// Changes what a watched descriptor is watched for; what is already there is reported again.
    ///
    /// # Errors
    /// The system's answer, such as a descriptor that is not watched.
    #[inline]
    pub fn modify(&self, source: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(
            &self.epoll,
            source,
            epoll::EventData::new_u64(token),
            interest,
        )?)
    }

    /// Waits until something is ready, `timeout` has passed (`None` waits for ever) or a signal came;
    /// the last two leave `events` empty.
    ///
    /// # Errors
    /// The system's answer; a signal is not an error.
    #[inline]
    pub fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(timespec);
        match epoll::wait(&self.epoll, &mut events.buffer[..], timeout.as_ref()) {
            Ok(count) => events.count = count,
            Err(Errno::INTR) => events.count = 0,
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }
}

/// A batch of events, reused for every wait.
pub struct Events {
    buffer: Vec<epoll::Event>,
    count: usize,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let capacity = self.buffer.len();
        f.debug_struct("Events")
            .field("count", &self.count)
            .field("capacity", &capacity)
            .finish()
    }
}

impl Events {
    /// Room for `capacity` events.
    pub fn with_capacity(capacity: usize) -> Self {
        let empty = epoll::Event {
            flags: Interest::empty(),
            data: epoll::EventData::new_u64(0),
        };
        Self {
            buffer: vec![empty; capacity.max(1)],
            count: 0,
        }
    }

    /// How many came.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// True when none came.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Event number `index`: the token of its descriptor and what was seen.
    #[inline]
    pub fn event(&self, index: usize) -> (u64, Interest) {
        let event = self.buffer[..self.count][index];
        (event.data.u64(), event.flags)
    }
}

/// A flag that any thread can raise and any number of pollers can watch. A poller that watches it
/// without [`Interest::ET`] sees it until it is lowered.
#[derive(Debug)]
pub struct Flag {
    event: OwnedFd,
}

impl Flag {
    /// A lowered flag.
    ///
    /// # Errors
    /// The system's answer, such as no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            event: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        })
    }

    /// Raises it.
    pub fn raise(&self) {
        // It can fail only when the counter is full, and then the flag is up already.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    /// Lowers it.
    pub fn lower(&self) {
        // It can fail only when it is not raised.
        let _ = rustix::io::read(&self.event, &mut [0; 8]);
    }
}

impl AsFd for Flag {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// Waits until one of two descriptors can be read, or until `at_most` has passed or a signal came. Says
/// which of them can.
pub fn wait_for_either(first: impl AsFd, second: impl AsFd, at_most: Duration) -> [bool; 2] {
    let mut watched = [
        PollFd::new(&first, PollFlags::IN),
        PollFd::new(&second, PollFlags::IN),
    ];
    match poll(&mut watched, Some(&timespec(at_most))) {
        Ok(_) => watched.map(|one| !one.revents().is_empty()),
        Err(_) => [false, false],
    }
}

/// A timer that a poller can watch. It is armed once: a time-out given to [`Poller::wait`] instead
/// arms a kernel timer for each wait that sleeps, about a microsecond on a virtual machine.
#[derive(Debug)]
pub struct Ticker {
    timer: OwnedFd,
}

impl Ticker {
    /// Fires every `period`, which must not be zero, for the first time after one.
    ///
    /// # Errors
    /// The system's answer, such as no descriptor left.
    pub fn new(period: Duration) -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let period = timespec(period);
        let setting = Itimerspec {
            it_interval: period,
            it_value: period,
        };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &setting)?;
        Ok(Self { timer })
    }

    /// Makes it unready until it fires again.
    pub fn clear(&self) {
        // It can fail only when it has not fired.
        let _ = rustix::io::read(&self.timer, &mut [0; 8]);
    }
}

impl AsFd for Ticker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

fn timespec(duration: Duration) -> Timespec {
    let (tv_sec, tv_nsec) = (
        duration.as_secs() as i64,
        i64::from(duration.subsec_nanos()),
    );
    Timespec { tv_sec, tv_nsec }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_flag_is_seen_again_and_again() {
        let (poller, flag) = (Poller::new().unwrap(), Flag::new().unwrap());
        let mut events = Events::with_capacity(4);
        poller.add(&flag, 7, Interest::IN).unwrap();
        poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        flag.raise();
        for _ in 0..2 {
            poller.wait(&mut events, None).unwrap();
            assert_eq!((events.len(), events.event(0).0), (1, 7));
        }
    }

    #[test]
    fn a_ticker_fires_again_after_it_was_cleared() {
        let (poller, ticker) = (
            Poller::new().unwrap(),
            Ticker::new(Duration::from_millis(5)).unwrap(),
        );
        let mut events = Events::with_capacity(4);
        poller.add(&ticker, 1, Interest::IN).unwrap();
        for _ in 0..3 {
            poller
                .wait(&mut events, Some(Duration::from_secs(10)))
                .unwrap();
            assert_eq!(events.len(), 1);
            ticker.clear();
        }
    }
}
