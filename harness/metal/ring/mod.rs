//! A safe io_uring: one ring, used by the thread that made it.
//!
//! The hazard of io_uring is that the kernel reads and writes memory after the call that named it
//! returned. Here that memory belongs to the ring until the completion comes: an operation takes its
//! buffer by value and its [`Completion`] gives it back as a [`Payload`], received bytes come in
//! [`ProvidedBuffer`]s that return to the kernel when dropped, and a ring that is dropped first
//! cancels and awaits what is in flight; the memory of an operation that the kernel does not end within a
//! second stays allocated for good. So the engines need no `unsafe`, and no bookkeeping of what
//! may be freed.

mod buffers;
mod completion;
mod flight;
mod operations;
mod queue;
mod setup;
mod socket;
#[cfg(test)]
mod tests;

pub use buffers::ProvidedBuffer;
pub use completion::{Completion, Payload};
pub use operations::Accept;
pub use queue::Ring;
pub use setup::{RingError, RingSetup};
pub use socket::Socket;
