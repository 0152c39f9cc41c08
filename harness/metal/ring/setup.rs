//! How a ring is set up, and why it may fail.

use std::io;

use io_uring::IoUring;
use thiserror::Error;

/// What a ring is asked for. The defaults are the best that a recent kernel offers to a loop that
/// owns its thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingSetup {
    /// Entries of the submission queue, a power of two. A full queue is submitted and goes on.
    pub submissions: u32,
    /// Entries of the completion queue, a power of two. Bursts beyond it are kept by the kernel at
    /// some cost, see [`super::Ring::overflows`].
    pub completions: u32,
    /// `DEFER_TASKRUN`: completions are worked on only when the loop waits for them, in one batch,
    /// instead of interrupting it. Needs Linux 6.1; the kernel refuses it together with `sqpoll`.
    pub defer_taskrun: bool,
    /// `SQPOLL`: a kernel thread picks submissions up, so that submitting needs no system call.
    pub sqpoll: bool,
    /// Slots of the table of direct descriptors; 0 for none. Cut to what `RLIMIT_NOFILE` allows.
    pub direct_descriptors: u32,
    /// Buffers that the kernel picks from to receive into, a power of two up to 32,768; 0 for none.
    pub buffers: u16,
    /// Bytes of each of these buffers.
    pub buffer_size: u32,
}

impl Default for RingSetup {
    fn default() -> Self {
        Self {
            submissions: 1024,
            completions: 16_384,
            defer_taskrun: true,
            sqpoll: false,
            direct_descriptors: 0,
            buffers: 0,
            buffer_size: 0,
        }
    }
}

/// Why a ring could not be set up or used.
#[derive(Debug, Error)]
pub enum RingError {
    /// The kernel refused the ring.
    #[error("failed to set up an io_uring{}", setup_hint(.0))]
    Setup(#[source] io::Error),
    /// The kernel refused something that was to be registered with it.
    #[error("failed to register {what} with the ring")]
    Register {
        /// What it was.
        what: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Submitting or waiting failed.
    #[error("failed to submit to the ring or to wait for it")]
    Enter(#[source] io::Error),
}

impl RingError {
    /// The system's answer.
    pub fn into_io(self) -> io::Error {
        match self {
            Self::Setup(source) | Self::Register { source, .. } | Self::Enter(source) => source,
        }
    }
}

/// Builds the ring. Flags that are no choice of the caller's are left out where an older kernel does
/// not know them; the chosen ones are not, since a measurement must not quietly be of another set-up.
pub(super) fn build(setup: &RingSetup) -> Result<IoUring, RingError> {
    match builder(setup, true).build(setup.submissions) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => builder(setup, false)
            .build(setup.submissions)
            .map_err(RingError::Setup),
        result => result.map_err(RingError::Setup),
    }
}

fn builder(setup: &RingSetup, recent: bool) -> io_uring::Builder {
    let mut builder = IoUring::builder();
    builder.setup_cqsize(setup.completions).setup_clamp();
    if setup.defer_taskrun {
        builder.setup_defer_taskrun();
    }
    if setup.sqpoll {
        // The kernel thread sleeps after 50 ms without work: long enough to poll through a block of
        // load, short enough not to burn a core between blocks.
        builder.setup_sqpoll(50);
    }
    if recent || setup.defer_taskrun {
        builder.setup_single_issuer();
    }
    if recent {
        builder.setup_submit_all();
    }
    builder
}

fn setup_hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM) => {
            " (kernel.io_uring_disabled is set, or a seccomp profile such as Docker's default \
             refuses it)"
        }
        Some(libc::ENOSYS) => " (this kernel has none)",
        Some(libc::EINVAL) => " (this kernel does not know the set-up that was asked for)",
        Some(libc::ENOMEM) => " (raise `ulimit -l`)",
        _ => "",
    }
}
