//! File to socket without a copy in user space: `sendfile`, `splice` through a pipe, and `send` from
//! a mapping, with and without `MSG_ZEROCOPY`.
//!
//! Every function sends part of what is asked and says how much; 0 from a file means that it ended
//! early. `sendfile` and `splice` raise `SIGPIPE` on a closed connection; Rust programs ignore that
//! signal from the start, and get `BrokenPipe`.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::net::sockopt;
use rustix::pipe::{self, PipeFlags, SpliceFlags};

/// Reads part of a file to the end of `out`, at most `length` bytes; 0 at the end of the file.
///
/// # Errors
/// The system's answer.
pub fn read_at(file: &File, offset: u64, length: usize, out: &mut Vec<u8>) -> io::Result<usize> {
    out.reserve(length);
    let spare = out.spare_capacity_mut();
    let room = spare.len().min(length);
    let (read, _) = rustix::io::pread(file, &mut spare[..room], offset)?;
    let count = read.len();
    let length = out.len() + count;
    // SAFETY: `pread` has initialised the `count` bytes behind the old length.
    unsafe {
        out.set_len(length);
    };
    Ok(count)
}

/// `sendfile`: at most `length` bytes from `offset` on.
///
/// # Errors
/// `WouldBlock` when the socket is full, or the system's answer.
#[inline]
pub fn send_file(
    socket: impl AsFd,
    file: &File,
    mut offset: u64,
    length: usize,
) -> io::Result<usize> {
    Ok(fs::sendfile(socket, file, Some(&mut offset), length)?)
}

/// A pipe that carries pages of files to sockets. It counts what it holds, since the `EAGAIN` of
/// `splice` does not say whether the pipe or the socket was the reason.
#[derive(Debug)]
pub struct SplicePipe {
    read: OwnedFd,
    write: OwnedFd,
    held: usize,
    capacity: usize,
}

impl SplicePipe {
    /// Makes an empty pipe of `capacity` bytes, or of what the system allows.
    ///
    /// # Errors
    /// The system's answer, such as no descriptors left.
    pub fn new(capacity: usize) -> io::Result<Self> {
        let (read, write) = pipe::pipe_with(PipeFlags::CLOEXEC)?;
        // Refused past pipe-user-pages-soft: a small pipe only needs more turns.
        let _ = pipe::fcntl_setpipe_size(&write, capacity);
        let capacity = pipe::fcntl_getpipe_size(&write)?;
        Ok(Self {
            read,
            write,
            held: 0,
            capacity,
        })
    }

    /// Bytes that lie in the pipe.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Fills the empty pipe with at most `length` bytes of the file; 0 at the end of the file. A
    /// pipe that still holds bytes is left as it is, and those are counted.
    ///
    /// # Errors
    /// The system's answer.
    pub fn fill(&mut self, file: &File, mut offset: u64, length: usize) -> io::Result<usize> {
        if self.held == 0 {
            let length = length.min(self.capacity);
            // No SPLICE_F_NONBLOCK: into an empty pipe it cannot wait for room.
            let flags = SpliceFlags::MOVE;
            self.held = pipe::splice(file, Some(&mut offset), &self.write, None, length, flags)?;
        }
        Ok(self.held)
    }

    /// Moves what the pipe holds to the socket. `more` as in [`crate::socket::send`].
    ///
    /// # Errors
    /// `WouldBlock` when the socket is full, or the system's answer.
    pub fn drain(&mut self, socket: impl AsFd, more: bool) -> io::Result<usize> {
        let mut flags = SpliceFlags::MOVE;
        flags.set(SpliceFlags::MORE, more);
        let count = pipe::splice(&self.read, None, socket, None, self.held, flags)?;
        self.held -= count;
        Ok(count)
    }
}

/// Part of a file mapped into memory. Only the kernel reads it, so a file that becomes shorter is an
/// error of `send` and not a `SIGBUS`.
#[derive(Debug)]
pub struct Mapping {
    start: *mut core::ffi::c_void,
    /// Bytes that are mapped, from a page boundary on.
    mapped: usize,
    /// Where the asked part begins in the mapping.
    lead: usize,
}

// SAFETY: the pointer is only given to the kernel; no memory is touched through it here.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `length` bytes, at least one, from `offset` on, for reading.
    ///
    /// # Errors
    /// The system's answer, such as a length of 0 or no room left in the address space.
    pub fn new(file: &File, offset: u64, length: usize) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let lead = (offset % page as u64) as usize;
        let mapped = length
            .checked_add(lead)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let aligned = offset - lead as u64;
        // SAFETY: a new mapping at an address of the kernel's choice disturbs no other memory.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                mapped,
                ProtFlags::READ,
                MapFlags::SHARED,
                file,
                aligned,
            )?
        };
        Ok(Self {
            start,
            mapped,
            lead,
        })
    }

    /// The address and length of a part of what is mapped, for the kernel to read.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> (*const u8, u32) {
        let start = self.lead + range.start.min(self.mapped - self.lead);
        let length = range.len().min(self.mapped - start);
        // SAFETY: `start` is at most `mapped`, so the result is in the mapping or one past its end.
        let start = unsafe { self.start.cast::<u8>().cast_const().add(start) };
        (start, u32::try_from(length).unwrap_or(u32::MAX))
    }

    /// Sends at most `length` bytes from `from` on, both relative to the mapped part.
    ///
    /// # Errors
    /// `WouldBlock` when the socket is full; an error of raw code `EFAULT` when the file has become
    /// too short; `ENOBUFS` when too many zero-copy sends wait for their notices.
    pub fn send(
        &self,
        socket: impl AsFd,
        from: usize,
        length: usize,
        more: bool,
        zero_copy: bool,
    ) -> io::Result<usize> {
        let start = self.lead + from.min(self.mapped - self.lead);
        let length = length.min(self.mapped - start);
        let mut flags = libc::MSG_NOSIGNAL;
        flags |= if more { libc::MSG_MORE } else { 0 };
        flags |= if zero_copy { libc::MSG_ZEROCOPY } else { 0 };
        let socket = socket.as_fd().as_raw_fd();
        // SAFETY: `start..start + length` lies in the mapping, which lives as long as `self`. The
        // kernel checks each page itself, and zero-copy sends hold the pages they still need.
        let sent = unsafe {
            libc::send(
                socket,
                self.start.cast::<u8>().add(start).cast(),
                length,
                flags,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made by `mmap` with this length, and unmapped only here.
        let _ = unsafe { rustix::mm::munmap(self.start, self.mapped) };
    }
}

/// Allows `MSG_ZEROCOPY` on a socket.
///
/// # Errors
/// The system's answer: a kernel before 4.14 has no such option.
pub fn allow_zero_copy(socket: impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: the option takes an int, and its address and length are given.
    let answer = unsafe {
        libc::setsockopt(
            socket,
            libc::SOL_SOCKET,
            libc::SO_ZEROCOPY,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// What the kernel reported of zero-copy sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZeroCopyNotices {
    /// Sends that are complete.
    pub complete: u64,
    /// Those of them for which the kernel copied after all, as it always does on loopback.
    pub copied: u64,
}

/// Takes the notices of completed zero-copy sends from a socket's error queue until it is empty.
///
/// # Errors
/// The pending error of the socket, such as a reset.
pub fn reap_zero_copy(socket: impl AsFd) -> io::Result<ZeroCopyNotices> {
    let socket = socket.as_fd();
    let mut notices = ZeroCopyNotices::default();
    while let Some(notice) = next_notice(socket.as_raw_fd())? {
        // One notice stands for a range of sends, from `ee_info` to `ee_data`.
        if notice.ee_origin == ORIGIN_ZERO_COPY {
            let count = u64::from(notice.ee_data.wrapping_sub(notice.ee_info)) + 1;
            notices.complete += count;
            if u32::from(notice.ee_code) & COPIED != 0 {
                notices.copied += count;
            }
        }
    }
    match sockopt::socket_error(socket)? {
        Ok(()) => Ok(notices),
        Err(errno) => Err(errno.into()),
    }
}

/// `SO_EE_ORIGIN_ZEROCOPY` of linux/errqueue.h, which `libc` lacks.
const ORIGIN_ZERO_COPY: u8 = 5;

/// `SO_EE_CODE_ZEROCOPY_COPIED` of linux/errqueue.h.
const COPIED: u32 = 1;

/// Room for one control message of an extended error with the longest address behind it, aligned as
/// control messages must be.
#[repr(C, align(8))]
struct Control([u8; 128]);

fn next_notice(socket: i32) -> io::Result<Option<libc::sock_extended_err>> {
    let mut control = Control([0; 128]);
    // SAFETY: all zero is a valid `msghdr`: no name, no data, no control buffer.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_control = (&raw mut control.0).cast();
    message.msg_controllen = control.0.len();
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: `message` and the control buffer that it points to live through the call.
    let received = unsafe { libc::recvmsg(socket, &raw mut message, flags) };
    if received < 0 {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::WouldBlock => Ok(None),
            io::ErrorKind::Interrupted => next_notice(socket),
            _ => Err(error),
        };
    }
    // SAFETY: `message` was filled in by `recvmsg` and its control buffer still lives.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    if header.is_null() {
        return Ok(None);
    }
    // SAFETY: `header` points to a control message of the kernel inside the buffer; the length is
    // checked before the extended error behind it is read, without assuming its alignment.
    let notice = unsafe {
        let needed = libc::CMSG_LEN(size_of::<libc::sock_extended_err>() as u32) as usize;
        ((*header).cmsg_len >= needed).then(|| {
            libc::CMSG_DATA(header)
                .cast::<libc::sock_extended_err>()
                .read_unaligned()
        })
    };
    Ok(notice)
}

#[cfg(test)]
mod tests;
