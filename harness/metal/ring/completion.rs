//! What comes back from a ring.

use std::rc::Rc;
use std::sync::Arc;

use rustix::io::Errno;

use super::{ProvidedBuffer, Socket};
use crate::transfer::Mapping;

/// What an operation owned, or brought.
#[derive(Debug)]
pub enum Payload {
    /// Nothing.
    Nothing,
    /// Bytes to send, or bytes that were read into.
    Bytes(Vec<u8>),
    /// Received bytes; also to send them back from where they lie.
    Provided(ProvidedBuffer),
    /// Shared bytes to send.
    Shared(Arc<[u8]>),
    /// Part of a file to send, mapped into memory. A file that became shorter is `EFAULT`.
    Mapped(Rc<Mapping>),
    /// An accepted connection.
    Accepted(Socket),
}

impl Payload {
    /// The bytes that it holds; those of a mapping are for the kernel only.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Nothing | Self::Mapped(_) | Self::Accepted(_) => &[],
            Self::Bytes(bytes) => bytes,
            Self::Provided(buffer) => buffer,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// The result of an operation, or of one shot of a multishot operation.
#[derive(Debug)]
pub struct Completion {
    /// The number that the operation was given.
    pub tag: u64,
    /// What the system call of the same name would have returned.
    pub result: Result<u32, Errno>,
    /// More completions of the same operation will come. A multishot operation without it has ended,
    /// whatever its result, and has to be started again.
    pub more: bool,
    /// The second completion of a zero-copy send: the kernel is done with the bytes.
    pub notification: bool,
    /// The bytes that the operation owned or brought.
    pub payload: Payload,
}
