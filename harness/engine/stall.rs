//! Whether a peer still takes what is sent to it. A send that succeeds proves it, but a full socket
//! takes more only when about a third of its buffer is free, and that can be minutes for a reader
//! that never stops: in between, what the kernel holds for the peer becomes less.

use std::io;

use crate::Millis;

/// A connection whose peer takes no byte of what waits for it for so long is closed.
pub(crate) const STALL: Millis = 60_000;

/// Looks at one connection whose output waits, about once a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch {
    /// When the peer was last seen to take something, or nothing waited for it.
    moved: Millis,
    /// What the kernel held for it at the last look.
    held: Option<u32>,
}

impl Watch {
    /// Nothing waits.
    pub(crate) fn new(now: Millis) -> Self {
        Self {
            moved: now,
            held: None,
        }
    }

    /// The kernel took bytes, or nothing waits.
    pub(crate) fn moved(&mut self, now: Millis) {
        self.moved = now;
        self.held = None;
    }

    /// The kernel holds so many bytes for the peer; fewer than at the last look means that the peer
    /// took some.
    pub(crate) fn look(&mut self, now: Millis, held: io::Result<u32>) {
        // A socket that cannot be asked only loses this proof.
        let held = held.ok();
        if held < self.held && held.is_some() {
            self.moved = now;
        }
        self.held = held;
    }

    /// True when the peer has taken nothing for [`STALL`].
    pub(crate) fn is_stalled(&self, now: Millis) -> bool {
        now.saturating_sub(self.moved) >= STALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a peer is given up that leaves these amounts in the kernel, one a second.
    fn given_up(held: impl IntoIterator<Item = u32>) -> Option<usize> {
        let mut watch = Watch::new(0);
        held.into_iter().enumerate().position(|(second, held)| {
            let now = second as Millis * 1000;
            watch.look(now, Ok(held));
            watch.is_stalled(now)
        })
    }

    #[test]
    fn a_reader_that_never_stops_is_kept_however_slow() {
        // 5 KB a second of 2.5 MB: a third is free after 170 s.
        assert_eq!(
            given_up((0..170).map(|second| 2_500_000 - second * 5000)),
            None
        );
        // 64 KiB, the segment of loopback, every 50 s.
        assert_eq!(
            given_up((0..600).map(|second| 2_500_000 - second / 50 * 65_536)),
            None
        );
    }

    #[test]
    fn a_peer_that_takes_nothing_is_given_up_after_the_limit() {
        assert_eq!(given_up([2_500_000; 100]), Some(60));
        // More is held: that was ours.
        assert_eq!(given_up((0..100).map(|second| 1000 + second)), Some(60));
        let stops = |second: u32| 2_500_000 - second.min(30) * 5000;
        assert_eq!(given_up((0..100).map(stops)), Some(90));
    }

    #[test]
    fn what_the_kernel_took_counts_and_what_it_cannot_tell_does_not() {
        let mut watch = Watch::new(0);
        watch.look(0, Ok(10));
        watch.moved(50_000);
        // Not compared with what was held before.
        watch.look(59_000, Ok(5));
        assert!(!watch.is_stalled(60_000 + 49_999));
        watch.look(60_000, Err(io::ErrorKind::Unsupported.into()));
        watch.look(61_000, Ok(1));
        assert!(watch.is_stalled(110_000));
    }
}
