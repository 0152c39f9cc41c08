//! Descriptors that a ring works on.

use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use io_uring::types;

/// A socket known to one ring: a slot of its table of direct descriptors, or a plain descriptor.
///
/// It is closed by [`super::Ring::close`] and by nothing else; a value that is merely dropped stays
/// open as long as the ring (direct) or the process (plain) does.
#[derive(Debug, PartialEq, Eq)]
pub struct Socket(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Direct(u32),
    Plain(RawFd),
}

/// What io-uring's builders take.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Direct(types::Fixed),
    Plain(types::Fd),
}

/// Builds an operation for either kind of descriptor: the crate's builders want the type of the
/// target at compile time.
macro_rules! with_target {
    ($socket:expr, |$target:ident| $build:expr) => {
        match $socket.target() {
            $crate::ring::socket::Target::Direct($target) => $build,
            $crate::ring::socket::Target::Plain($target) => $build,
        }
    };
}
pub(super) use with_target;

impl Socket {
    /// Gives a plain descriptor to a ring's operations.
    pub fn plain(descriptor: OwnedFd) -> Self {
        Self(Kind::Plain(descriptor.into_raw_fd()))
    }

    /// True for a slot of the ring's own table, which no system call outside the ring can name.
    pub fn is_direct(&self) -> bool {
        matches!(self.0, Kind::Direct(_))
    }

    pub(super) fn from_slot(slot: u32) -> Self {
        Self(Kind::Direct(slot))
    }

    /// The descriptor that an accept resulted in.
    pub(super) fn accepted(descriptor: u32) -> Self {
        Self(Kind::Plain(
            RawFd::try_from(descriptor).expect("descriptors have 31 bits"),
        ))
    }

    pub(super) fn target(&self) -> Target {
        match self.0 {
            Kind::Direct(slot) => Target::Direct(types::Fixed(slot)),
            Kind::Plain(descriptor) => Target::Plain(types::Fd(descriptor)),
        }
    }
}
