//! The operations that a ring offers. Each is queued; it starts with the next submission.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use io_uring::types::{CancelBuilder, DestinationSlot, Fd, Timespec};
use io_uring::{opcode, squeue};
use std::os::fd::AsRawFd;

use super::buffers::GROUP;
use super::flight::{Operation, Role};
use super::queue::{ACCEPT_DIRECT, ACCEPT_PLAIN, RECEIVE, Ring};
use super::socket::{Socket, with_target};
use super::{Payload, ProvidedBuffer};

/// How connections are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accept {
    /// One operation accepts until it fails, instead of one connection.
    pub multishot: bool,
    /// Into the table of direct descriptors. Accepting into a full table closes the connection: stop
    /// in time.
    pub direct: bool,
}

impl Ring {
    /// Accepts from a listener, which has to stay open until the last completion.
    pub fn accept(&mut self, listener: &impl AsFd, accept: Accept, tag: u64) {
        let listener = Fd(listener.as_fd().as_raw_fd());
        let flags = if accept.direct { 0 } else { libc::SOCK_CLOEXEC };
        let entry = if accept.multishot {
            opcode::AcceptMulti::new(listener)
                .allocate_file_index(accept.direct)
                .flags(flags)
                .build()
        } else {
            let slot = accept.direct.then(DestinationSlot::auto_target);
            opcode::Accept::new(listener, std::ptr::null_mut(), std::ptr::null_mut())
                .file_index(slot)
                .flags(flags)
                .build()
        };
        self.push_tagged(entry, accept_kind(accept.direct), tag);
    }

    /// Cancels an accept; it still completes, with `ECANCELED`.
    pub fn cancel_accept(&mut self, direct: bool, tag: u64) {
        self.push_unheard(opcode::AsyncCancel::new(accept_kind(direct) | tag).build());
    }

    /// Receives again and again into provided buffers, until a completion without `more`. It ends with
    /// `ENOBUFS` when the buffers run out.
    pub fn receive_multishot(&mut self, socket: &Socket, tag: u64) {
        let entry = with_target!(socket, |target| opcode::RecvMulti::new(target, GROUP)
            .build());
        self.push_tagged(entry, RECEIVE, tag);
    }

    /// Receives once into a provided buffer.
    pub fn receive_provided(&mut self, socket: &Socket, tag: u64) {
        let null = std::ptr::null_mut();
        let entry = with_target!(socket, |target| {
            opcode::Recv::new(target, null, 0).buf_group(GROUP).build()
        });
        self.push_tagged(entry.flags(squeue::Flags::BUFFER_SELECT), RECEIVE, tag);
    }

    /// Receives once, appending at most `limit` bytes to `bytes`.
    pub fn receive_owned(&mut self, socket: &Socket, mut bytes: Vec<u8>, limit: usize, tag: u64) {
        let (start, limit) = spare(&mut bytes, limit);
        let entry = with_target!(socket, |target| opcode::Recv::new(target, start, limit)
            .build());
        let operation = Operation {
            tag,
            role: Role::Fill,
            payload: Payload::Bytes(bytes),
            files: [None, None],
        };
        self.push_owning(entry, operation);
    }

    /// Cancels a receive that was started with this tag by [`Self::receive_multishot`] or
    /// [`Self::receive_provided`]; it still completes, with `ECANCELED`.
    pub fn cancel_receive(&mut self, tag: u64) {
        self.push_unheard(opcode::AsyncCancel::new(RECEIVE | tag).build());
    }

    /// Sends part of a payload. The kernel goes on until all of it is sent, the peer is gone or the
    /// operation is cut short, so a result may be less than asked for. With `more_to_come` the kernel
    /// may wait for further bytes to fill a segment.
    ///
    /// # Panics
    /// When `range` does not lie within the payload.
    pub fn send(
        &mut self,
        socket: &Socket,
        payload: Payload,
        range: Range<usize>,
        more_to_come: bool,
        tag: u64,
    ) {
        let (start, length) = part(&payload, range);
        let flags = send_flags(more_to_come);
        let entry = with_target!(socket, |target| {
            opcode::Send::new(target, start, length)
                .flags(flags)
                .build()
        });
        let operation = Operation {
            tag,
            role: Role::Keep,
            payload,
            files: [None, None],
        };
        self.push_owning(entry, operation);
    }

    /// As [`Self::send`], without copying where the kernel and the network allow. The first completion
    /// has the result; when it says `more`, the payload comes back with a second one, the
    /// notification, once the peer has acknowledged the bytes.
    ///
    /// # Panics
    /// As [`Self::send`].
    pub fn send_zero_copy(
        &mut self,
        socket: &Socket,
        payload: Payload,
        range: Range<usize>,
        tag: u64,
    ) {
        let (start, length) = part(&payload, range);
        let flags = send_flags(false);
        let entry = with_target!(socket, |target| {
            opcode::SendZc::new(target, start, length)
                .flags(flags)
                .build()
        });
        let operation = Operation {
            tag,
            role: Role::Keep,
            payload,
            files: [None, None],
        };
        self.push_owning(entry, operation);
    }

    /// Reads at most `limit` bytes of a file from `offset` on, appending them to `bytes`.
    pub fn read(
        &mut self,
        file: &Arc<File>,
        offset: u64,
        mut bytes: Vec<u8>,
        limit: usize,
        tag: u64,
    ) {
        let (start, limit) = spare(&mut bytes, limit);
        let entry = opcode::Read::new(Fd(file.as_raw_fd()), start, limit)
            .offset(offset)
            .build();
        let files = [Some(Arc::clone(file)), None];
        let payload = Payload::Bytes(bytes);
        self.push_owning(
            entry,
            Operation {
                tag,
                role: Role::Fill,
                payload,
                files,
            },
        );
    }

    /// Moves bytes of a file into a pipe. The kernel does this on a thread of its own.
    pub fn splice_to_pipe(
        &mut self,
        file: &Arc<File>,
        offset: u64,
        pipe: &Arc<File>,
        length: u32,
        tag: u64,
    ) {
        let (from, into) = (Fd(file.as_raw_fd()), Fd(pipe.as_raw_fd()));
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let entry = opcode::Splice::new(from, offset, into, -1, length).build();
        let files = [Some(Arc::clone(file)), Some(Arc::clone(pipe))];
        let payload = Payload::Nothing;
        self.push_owning(
            entry,
            Operation {
                tag,
                role: Role::Keep,
                payload,
                files,
            },
        );
    }

    /// Moves bytes of a pipe into a socket, on a thread of the kernel's.
    pub fn splice_to_socket(
        &mut self,
        pipe: &Arc<File>,
        socket: &Socket,
        length: u32,
        more_to_come: bool,
        tag: u64,
    ) {
        let from = Fd(pipe.as_raw_fd());
        let flags = if more_to_come { libc::SPLICE_F_MORE } else { 0 };
        let entry = with_target!(socket, |target| {
            opcode::Splice::new(from, -1, target, -1, length)
                .flags(flags)
                .build()
        });
        let files = [Some(Arc::clone(pipe)), None];
        let payload = Payload::Nothing;
        self.push_owning(
            entry,
            Operation {
                tag,
                role: Role::Keep,
                payload,
                files,
            },
        );
    }

    /// Completes with `ETIME` after a time. The ring keeps 16 bytes for each different time.
    pub fn timeout(&mut self, after: Duration, tag: u64) {
        // The kernel, with SQPOLL a thread of its own, reads the time at some moment after this call:
        // a cell must never hold another time.
        let known = self.times.iter().position(|(time, _)| *time == after);
        let index = known.unwrap_or_else(|| {
            self.times.push((after, Box::new(Timespec::from(after))));
            self.times.len() - 1
        });
        let time = &raw const *self.times[index].1;
        let entry = opcode::Timeout::new(time).build();
        self.push_tagged(entry, RECEIVE, tag);
    }

    /// Completes once when `file`, which has to stay open until then, can be read from.
    pub fn poll_readable(&mut self, file: &impl AsFd, tag: u64) {
        let events = libc::POLLIN as u32;
        let entry = opcode::PollAdd::new(Fd(file.as_fd().as_raw_fd()), events).build();
        self.push_tagged(entry, RECEIVE, tag);
    }

    /// Asks how many bytes the kernel holds for the peer, as [`crate::socket::unacknowledged`] does for
    /// what has a descriptor. Fails before Linux 6.7.
    pub fn unacknowledged(&mut self, socket: &Socket, tag: u64) {
        let entry = with_target!(socket, |target| {
            opcode::UringCmd16::new(target, SOCKET_OUTQ).build()
        });
        self.push_tagged(entry, RECEIVE, tag);
    }

    /// Ends the sending side, so that the peer sees the end of the stream. The kernel does this on a
    /// thread of its own and looks the descriptor up only there: do not close it before the completion,
    /// or a connection accepted in its place would be the one that ends.
    pub fn shutdown_send(&mut self, socket: &Socket, tag: u64) {
        let entry = with_target!(socket, |target| {
            opcode::Shutdown::new(target, libc::SHUT_WR).build()
        });
        self.push_tagged(entry, RECEIVE, tag);
    }

    /// Cancels everything in flight on a socket; each still completes. The kernel walks over all that
    /// waits in the ring, so for a single receive [`Self::cancel_receive`] is the cheaper one.
    pub fn cancel_all(&mut self, socket: &Socket) {
        let entry = with_target!(socket, |target| {
            opcode::AsyncCancel2::new(CancelBuilder::fd(target).all()).build()
        });
        self.push_unheard(entry);
    }

    /// Closes a descriptor. Operations in flight keep the connection open behind it: cancel them
    /// first. What was queued before is carried out before.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the descriptor is gone afterwards"
    )]
    pub fn close(&mut self, socket: Socket) {
        let entry = with_target!(socket, |target| opcode::Close::new(target).build());
        self.push_unheard(entry);
    }
}

/// `SOCKET_URING_OP_SIOCOUTQ`.
const SOCKET_OUTQ: u32 = 1;

impl From<ProvidedBuffer> for Payload {
    fn from(buffer: ProvidedBuffer) -> Self {
        Self::Provided(buffer)
    }
}

fn accept_kind(direct: bool) -> u64 {
    if direct { ACCEPT_DIRECT } else { ACCEPT_PLAIN }
}

fn send_flags(more_to_come: bool) -> i32 {
    // WAITALL: the kernel itself goes on after a short send, instead of a round trip through the loop.
    let flags = libc::MSG_NOSIGNAL | libc::MSG_WAITALL;
    if more_to_come {
        flags | libc::MSG_MORE
    } else {
        flags
    }
}

/// The address and length of part of a payload, whose bytes do not move while it is owned.
fn part(payload: &Payload, range: Range<usize>) -> (*const u8, u32) {
    if let Payload::Mapped(mapping) = payload {
        return mapping.part(range);
    }
    let bytes = &payload.bytes()[range];
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    (bytes.as_ptr(), length)
}

/// Room for `limit` bytes behind what a vector holds.
fn spare(bytes: &mut Vec<u8>, limit: usize) -> (*mut u8, u32) {
    bytes.reserve(limit);
    let room = bytes.spare_capacity_mut();
    (
        room.as_mut_ptr().cast(),
        u32::try_from(limit.min(room.len())).unwrap_or(u32::MAX),
    )
}
