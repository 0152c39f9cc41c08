//! The ring itself: submitting, waiting, completing, and ending safely.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use io_uring::types::{CancelBuilder, SubmitArgs, Timespec};
use io_uring::{EnterFlags, IoUring, Probe, cqueue, squeue};
use rustix::io::Errno;

use super::buffers::BufferPool;
use super::completion::{Completion, Payload};
use super::flight::{Flight, Operation, Role};
use super::setup::{RingError, RingSetup, build};
use super::socket::Socket;

/// One io_uring, for the thread that made it.
pub struct Ring {
    // First, so that it is closed before the memory below is freed.
    io: IoUring,
    pool: Option<Rc<BufferPool>>,
    flight: Flight,
    /// Operations whose last completion is still to come.
    pending: usize,
    registered: Option<u32>,
    direct_descriptors: u32,
    sqpoll: bool,
    overflows: u64,
    overflowing: bool,
    enters: u64,
    /// Where the kernel reads the time of a timeout from when it is submitted: one cell for each time
    /// that was ever asked for, and none of them changes.
    pub(super) times: Vec<(Duration, Box<Timespec>)>,
}

impl Ring {
    /// Sets a ring up and registers what `setup` asks for.
    ///
    /// # Errors
    /// [`RingError`]: the kernel has no io_uring, refuses it, or does not know a part of the set-up.
    pub fn new(setup: &RingSetup) -> Result<Self, RingError> {
        let io = build(setup)?;
        let mut ring = Self {
            io,
            pool: None,
            flight: Flight::default(),
            pending: 0,
            registered: None,
            direct_descriptors: 0,
            sqpoll: setup.sqpoll,
            overflows: 0,
            overflowing: false,
            enters: 0,
            times: Vec::new(),
        };
        // Saves a look-up of the descriptor on each enter. Older kernels refuse: then it is paid.
        ring.registered = register_ring_fd(&ring.io).ok();
        if setup.direct_descriptors > 0 {
            // The kernel refuses a table larger than the limit on open files.
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
            let slots = limit.map_or(setup.direct_descriptors, |limit| {
                setup
                    .direct_descriptors
                    .min(u32::try_from(limit).unwrap_or(u32::MAX))
            });
            ring.io
                .submitter()
                .register_files_sparse(slots)
                .map_err(|source| RingError::Register {
                    what: "a table of direct descriptors",
                    source,
                })?;
            ring.direct_descriptors = slots;
        }
        if setup.buffers > 0 {
            ring.pool = Some(BufferPool::register(
                &ring.io,
                setup.buffers,
                setup.buffer_size,
            )?);
        }
        Ok(ring)
    }

    /// A wait can end by time (`IORING_FEAT_EXT_ARG`, Linux 5.11).
    pub(crate) fn waits_with_time(&self) -> bool {
        self.io.params().is_feature_ext_arg()
    }

    /// Asks which operations the kernel knows.
    pub(crate) fn probe(&self, probe: &mut Probe) -> io::Result<()> {
        self.io.submitter().register_probe(probe)
    }

    /// Slots of the table of direct descriptors.
    pub fn direct_descriptors(&self) -> u32 {
        self.direct_descriptors
    }

    /// Receive buffers that the kernel has left.
    pub fn buffers_available(&self) -> u16 {
        self.pool.as_ref().map_or(0, |pool| pool.available())
    }

    /// Times that completions did not fit their queue and the kernel had to keep them elsewhere.
    pub fn overflows(&self) -> u64 {
        self.overflows
    }

    /// System calls made to submit and to wait.
    pub fn enters(&self) -> u64 {
        self.enters
    }

    /// Operations whose last completion is still to come.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Hands over what was queued without waiting.
    ///
    /// # Errors
    /// [`RingError::Enter`].
    pub fn submit(&mut self) -> Result<(), RingError> {
        self.enter(0, None)
    }

    /// Hands over what was queued and waits until at least one completion is there. A signal ends the
    /// wait early, without an error.
    ///
    /// # Errors
    /// [`RingError::Enter`].
    pub fn submit_and_wait(&mut self) -> Result<(), RingError> {
        self.enter(1, None)
    }

    /// Hands over what was queued and waits until each of it has a completion, as sends mostly have at
    /// once, and `more` are there besides, or until `at_most` has passed. True when that many are there.
    /// Needs a kernel whose probe lists `timed_wait` (Linux 5.11).
    ///
    /// # Errors
    /// [`RingError::Enter`].
    pub fn submit_and_wait_for(&mut self, more: u32, at_most: Duration) -> Result<bool, RingError> {
        let want = self.io.submission().len() + more as usize;
        self.enter(u32::try_from(want).unwrap_or(u32::MAX), Some(at_most))?;
        Ok(self.io.completion().len() >= want)
    }

    /// The next completion that is there already.
    pub fn next_completion(&mut self) -> Option<Completion> {
        loop {
            let Some(entry) = self.io.completion().next() else {
                return self
                    .flush_overflow()
                    .then(|| self.next_completion())
                    .flatten();
            };
            if entry.user_data() != UNHEARD {
                return Some(self.interpret(&entry));
            }
        }
    }

    /// Queues an operation that owns memory until its last completion.
    pub(super) fn push_owning(&mut self, entry: squeue::Entry, operation: Operation) {
        let index = self.flight.enter(operation);
        self.pending += 1;
        self.push(&entry.user_data(u64::from(index)));
    }

    /// Queues an operation that owns nothing but perhaps a buffer of the pool.
    pub(super) fn push_tagged(&mut self, entry: squeue::Entry, kind: u64, tag: u64) {
        assert!(tag < TAG_END - 1, "tags have 62 bits");
        self.pending += 1;
        self.push(&entry.user_data(kind | tag));
    }

    /// Queues an operation whose success needs no completion and whose failure nobody acts on.
    pub(super) fn push_unheard(&mut self, entry: squeue::Entry) {
        self.push(&entry.flags(squeue::Flags::SKIP_SUCCESS).user_data(UNHEARD));
    }

    fn push(&mut self, entry: &squeue::Entry) {
        // SAFETY: the memory that the entry names is owned by `flight` or by the pool until its last
        // completion, and both outlive the ring; `Drop` sees to that. The time of a timeout lies in
        // `times`, whose cells neither move nor change and which outlives the ring likewise.
        while unsafe { self.io.submission().push(entry) }.is_err() {
            // A full queue: hand it over. With SQPOLL the kernel thread may need a moment, which
            // `squeue_wait` waits for. Errors such as EBUSY pass once completions are taken, which a
            // full completion queue keeps for later, so trying again is right.
            let _ = self.enter(0, None);
            if self.sqpoll {
                let _ = self.io.submitter().squeue_wait();
            }
        }
    }

    fn enter(&mut self, want: u32, at_most: Option<Duration>) -> Result<(), RingError> {
        let mut flags = EnterFlags::GETEVENTS;
        let queued = {
            let queue = self.io.submission();
            if self.sqpoll {
                // The tail must be visible before the flag is read, or the kernel thread could go to
                // sleep between the two without having seen the new entries.
                fence(Ordering::SeqCst);
                if queue.need_wakeup() {
                    flags.insert(EnterFlags::SQ_WAKEUP);
                } else if want == 0 && !queue.cq_overflow() {
                    return Ok(());
                }
            }
            u32::try_from(queue.len()).unwrap_or(u32::MAX)
        };
        self.enters += 1;
        match enter(&self.io, self.registered, queued, want, flags, at_most) {
            Ok(()) => Ok(()),
            // A signal, the end of the time, or a kernel that wants completions taken or memory freed
            // first: the caller's loop does the one, and comes back for the other.
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::EINTR | libc::EAGAIN | libc::EBUSY | libc::ETIME)
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(RingError::Enter(error)),
        }
    }

    /// Fetches completions that the kernel keeps because the queue was full. They are visible through
    /// this flag alone.
    fn flush_overflow(&mut self) -> bool {
        let overflowing = self.io.submission().cq_overflow();
        if !overflowing {
            self.overflowing = false;
            return false;
        }
        if !mem::replace(&mut self.overflowing, true) {
            self.overflows += 1;
        }
        self.enter(0, None).is_ok() && !self.io.completion().is_empty()
    }

    fn interpret(&mut self, entry: &cqueue::Entry) -> Completion {
        let more = cqueue::more(entry.flags());
        if !more {
            self.pending -= 1;
        }
        let result = match u32::try_from(entry.result()) {
            Ok(value) => Ok(value),
            Err(_) => Err(Errno::from_raw_os_error(-entry.result())),
        };
        let notification = cqueue::notif(entry.flags());
        let (kind, tag) = (
            entry.user_data() & !(TAG_END - 1),
            entry.user_data() & (TAG_END - 1),
        );
        let (tag, payload) = match kind {
            RECEIVE => (tag, self.provided(entry, result)),
            ACCEPT_DIRECT => {
                let socket = result.map(|slot| Payload::Accepted(Socket::from_slot(slot)));
                (tag, socket.unwrap_or(Payload::Nothing))
            }
            ACCEPT_PLAIN => {
                let socket = result.map(|number| Payload::Accepted(Socket::accepted(number)));
                (tag, socket.unwrap_or(Payload::Nothing))
            }
            _ => self.owned(
                u32::try_from(tag).expect("slots have 32 bits"),
                result,
                more,
            ),
        };
        Completion {
            tag,
            result,
            more,
            notification,
            payload,
        }
    }

    fn provided(&self, entry: &cqueue::Entry, result: Result<u32, Errno>) -> Payload {
        match (&self.pool, cqueue::buffer_select(entry.flags())) {
            (Some(pool), Some(index)) => {
                Payload::Provided(pool.take(index, result.unwrap_or_default()))
            }
            _ => Payload::Nothing,
        }
    }

    fn owned(&mut self, slot: u32, result: Result<u32, Errno>, more: bool) -> (u64, Payload) {
        if more {
            return (self.flight.operation(slot).tag, Payload::Nothing);
        }
        let mut operation = self.flight.leave(slot);
        if let (Role::Fill, Payload::Bytes(bytes), Ok(count)) =
            (operation.role, &mut operation.payload, result)
        {
            let length = bytes.len() + count as usize;
            assert!(
                length <= bytes.capacity(),
                "the kernel writes no more than it was given"
            );
            // SAFETY: the operation was given the spare capacity, and wrote `count` bytes of it.
            unsafe { bytes.set_len(length) };
        }
        (operation.tag, operation.payload)
    }

    /// Ends everything in flight. False when for [`PATIENCE`] nothing more of it ended.
    pub(super) fn quiesce(&mut self) -> bool {
        let _ = self.enter(0, None);
        let pause = Timespec::new().nsec(20_000_000);
        let (mut deadline, mut before) = (Instant::now() + PATIENCE, usize::MAX);
        while self.pending > 0 && Instant::now() < deadline {
            if self.pending < before {
                deadline = Instant::now() + PATIENCE;
            }
            // With DEFER_TASKRUN an enter gives some 20 completions, while a cancel walks over all that
            // is in flight (18 ms at 3,000 operations): only after a wait that brought nothing.
            if before == usize::MAX || self.pending == before {
                let _ = self
                    .io
                    .submitter()
                    .register_sync_cancel(None, CancelBuilder::any());
            }
            before = self.pending;
            let _ = self
                .io
                .submitter()
                .submit_with_args(1, &SubmitArgs::new().timespec(&pause));
            while let Some(completion) = self.next_completion() {
                drop(completion);
            }
        }
        self.pending == 0
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if !self.quiesce() {
            // The kernel may still write to this memory: it has to stay, as long as the process does.
            mem::forget(mem::take(&mut self.flight));
            mem::forget(self.pool.take());
            mem::forget(mem::take(&mut self.times));
        }
        if let Some(index) = self.registered.take() {
            unregister_ring_fd(&self.io, index);
        }
    }
}

/// How long the end of a ring waits for an operation that does not end, such as one that a thread of
/// the kernel works on.
const PATIENCE: Duration = Duration::from_secs(1);

/// The two highest bits of a completion's number say how to read the rest.
pub(super) const RECEIVE: u64 = 1 << 62;
/// A tag; the result is a slot of the table of direct descriptors.
pub(super) const ACCEPT_DIRECT: u64 = 2 << 62;
/// A tag; the result is a descriptor.
pub(super) const ACCEPT_PLAIN: u64 = 3 << 62;
/// Numbers below it are tags, but for the largest, which would be [`UNHEARD`] in an accept.
const TAG_END: u64 = 1 << 62;
/// The number of operations of which nobody wants to hear.
const UNHEARD: u64 = u64::MAX;

/// `struct io_uring_getevents_arg`, and the time that it points to.
#[repr(C)]
struct WaitArgument {
    signals: u64,
    signals_size: u32,
    reserved: u32,
    /// The address of a [`Timespec`].
    time: u64,
}

/// `io_uring_enter`, by the registered index where there is one; the crate keeps that index in a
/// borrowed submitter, which cannot live beside the ring.
fn enter(
    io: &IoUring,
    registered: Option<u32>,
    queued: u32,
    want: u32,
    mut flags: EnterFlags,
    at_most: Option<Duration>,
) -> io::Result<()> {
    let ring = match registered {
        Some(index) => {
            flags.insert(EnterFlags::REGISTERED_RING);
            i64::from(index)
        }
        None => i64::from(io.as_raw_fd()),
    };
    let time = Timespec::from(at_most.unwrap_or_default());
    let argument = WaitArgument {
        signals: 0,
        signals_size: 0,
        reserved: 0,
        time: (&raw const time) as u64,
    };
    let (argument, size) = match at_most {
        Some(_) => {
            flags.insert(EnterFlags::EXT_ARG);
            (&raw const argument, size_of::<WaitArgument>())
        }
        None => (std::ptr::null(), 0),
    };
    // SAFETY: the argument and the time lie on this stack for as long as the call lasts; what the queued
    // entries name is owned as `push` says.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_io_uring_enter,
            ring,
            queued,
            want,
            flags.bits(),
            argument,
            size,
        )
    };
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// `struct io_uring_rsrc_update`.
#[repr(C)]
struct ResourceUpdate {
    offset: u32,
    reserved: u32,
    data: u64,
}

const REGISTER_RING_FDS: libc::c_uint = 20;
const UNREGISTER_RING_FDS: libc::c_uint = 21;

fn register_ring_fd(io: &IoUring) -> io::Result<u32> {
    let data = u64::try_from(io.as_raw_fd()).expect("an open descriptor is not negative");
    // An offset of all ones asks for any free index.
    let mut update = ResourceUpdate {
        offset: u32::MAX,
        reserved: 0,
        data,
    };
    ring_fds(io, REGISTER_RING_FDS, &mut update).map(|()| update.offset)
}

/// Without this the thread's table would keep the ring open until the thread ends.
fn unregister_ring_fd(io: &IoUring, index: u32) {
    let mut update = ResourceUpdate {
        offset: index,
        reserved: 0,
        data: 0,
    };
    let _ = ring_fds(io, UNREGISTER_RING_FDS, &mut update);
}

fn ring_fds(io: &IoUring, operation: libc::c_uint, update: &mut ResourceUpdate) -> io::Result<()> {
    let update: *mut ResourceUpdate = update;
    // SAFETY: one structure of the layout that the kernel declares, used during the call only.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            io.as_raw_fd(),
            operation,
            update,
            1_u32,
        )
    };
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}
