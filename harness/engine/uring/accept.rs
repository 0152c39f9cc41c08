//! Decides when to accept: as many as there is room for, and none that would be closed unserved.

use ringside_metal::ring::{Accept, Ring};
use ringside_metal::socket::BACKLOG;
use rustix::io::Errno;

use std::sync::Arc;

use crate::listener::Listener;

/// The number of accepts; no connection has it.
pub(crate) const TAG: u64 = 1 << 40;

/// Below this much room, connections are accepted one by one. A multishot accept takes all that wait
/// at once, up to the backlog and those that come meanwhile, and closes what finds the table of direct
/// descriptors full.
const CLOSE_TO_FULL: usize = 2 * BACKLOG as usize;

/// The accepting side of a worker.
pub(crate) struct Acceptor {
    listener: Arc<Listener>,
    how: Accept,
    /// Slots for direct descriptors; plain ones are limited by the kernel, which then says `EMFILE`
    /// and lets the client wait.
    slots: usize,
    armed: Option<Accept>,
    /// Out of descriptors or memory: waits for a connection to close, or for the next second.
    resting: bool,
    /// Times that it began to rest.
    pauses: u64,
    cancelled: bool,
}

impl Acceptor {
    pub(crate) fn new(listener: Arc<Listener>, how: Accept, ring: &Ring) -> Self {
        // With a listener that does not block, an accept could end at once instead of waiting.
        let _ = rustix::io::ioctl_fionbio(&*listener, false);
        let slots = if how.direct {
            ring.direct_descriptors() as usize
        } else {
            usize::MAX
        };
        Self {
            listener,
            how,
            slots,
            armed: None,
            resting: false,
            pauses: 0,
            cancelled: false,
        }
    }

    /// Starts or cancels the accept as `open` connections leave room. Costs nothing when nothing
    /// changes.
    pub(crate) fn adjust(&mut self, open: usize, ring: &mut Ring) {
        let room = self.slots.saturating_sub(open);
        let multishot = self.how.multishot && room > CLOSE_TO_FULL;
        match self.armed {
            Some(armed) if armed.multishot && !multishot && !self.cancelled => {
                self.cancelled = true;
                ring.cancel_accept(self.how.direct, TAG);
            }
            None if room > 0 && !self.resting => {
                let how = Accept {
                    multishot,
                    ..self.how
                };
                ring.accept(&*self.listener, how, TAG);
                self.armed = Some(how);
            }
            _ => {}
        }
    }

    /// True when `open` connections leave so little room that another ring should take over.
    pub(crate) fn is_close_to_full(&self, open: usize) -> bool {
        is_close_to_full(self.slots, open)
    }

    /// An accept has completed.
    pub(crate) fn completed(&mut self, result: Result<u32, Errno>, more: bool) {
        if !more {
            self.armed = None;
            self.cancelled = false;
        }
        // Those of a connection that went away while it waited say nothing about the next one. Any
        // other error would come again at once.
        let passing = matches!(
            result,
            Ok(_) | Err(Errno::CANCELED | Errno::CONNABORTED | Errno::INTR | Errno::AGAIN)
        );
        self.resting = !passing;
        self.pauses += u64::from(!passing);
    }

    /// Times that accepting paused, since no descriptor or memory was left.
    pub(crate) fn pauses(&self) -> u64 {
        self.pauses
    }

    /// A connection was closed, or a second has passed.
    pub(crate) fn wake(&mut self) {
        self.resting = false;
    }
}

/// A table with few places is not close to full from the beginning: half of it is filled first.
fn is_close_to_full(slots: usize, open: usize) -> bool {
    slots.saturating_sub(open) <= CLOSE_TO_FULL.min(slots / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_ring_comes_when_little_room_is_left_and_never_to_an_empty_one() {
        for (slots, open, close) in [
            (20_000, 0, false),
            (20_000, 11_000, false),
            (20_000, 12_000, true),
            (20_000, 20_001, true),
            (1024, 0, false),
            (1024, 512, true),
            (usize::MAX, 1_000_000, false),
        ] {
            assert_eq!(is_close_to_full(slots, open), close, "{open} of {slots}");
        }
    }
}
