//! The pending replies of one connection: bytes, then perhaps a body, sent as the socket takes them.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use ringside_metal::socket;
use ringside_metal::transfer::{self, Mapping, SplicePipe};

use crate::{Body, BodyMode, Content};

/// What one worker uses to send bodies on all its connections.
#[derive(Debug)]
pub(crate) struct Sender {
    mode: BodyMode,
    /// Empty pipes that wait for the next body.
    pipes: Vec<SplicePipe>,
    /// Empty buffers, kept since their memory is: a head before a `sendfile` allocates nothing.
    buffers: Vec<Vec<u8>>,
    /// Body bytes that the connection in turn may still send before others have theirs.
    budget: usize,
    pub(crate) sent: Sent,
}

/// What a [`Sender`] counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sent {
    pub(crate) bytes: u64,
    pub(crate) zero_copy: u64,
    pub(crate) zero_copy_copied: u64,
    /// Bodies that had no pipe, since no descriptor was left, and were copied.
    pub(crate) splice_copied: u64,
}

/// Body bytes for each turn. 512 KiB are about 100 us of copying: the next connection waits no
/// longer, and a loop over few connections still makes few system calls.
const TURN_BYTES: usize = 512 << 10;

/// Wished size of a pipe: the largest that an unprivileged process may ask for by default.
const PIPE_BYTES: usize = 1 << 20;

/// Buffers that are kept: 16 of at most about 1 MiB.
const SPARE_BUFFERS: usize = 16;

/// Pieces of files when `memory` has no copy of the file, or `splice` no pipe.
const COPY_BYTES: usize = 256 << 10;

/// Pending bytes of one connection. All empty, it holds no memory of its own.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// How many of `bytes` are sent.
    start: usize,
    /// In a box: what is looked at for each small reply then lies together.
    body: Option<Box<Sending>>,
    /// Bytes went since this was last asked.
    moved: bool,
}

/// How far a flush came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// The socket is full; it reports when it has room.
    Blocked,
    /// All that there is was sent, and it is less than was promised.
    CutShort,
    /// The turn is over, and nothing reports: it must be continued.
    TurnOver,
}

#[derive(Debug)]
struct Sending {
    source: Source,
    offset: u64,
    remaining: u64,
    /// Bytes that follow the body.
    tail: Vec<u8>,
}

#[derive(Debug)]
enum Source {
    /// What was promised cannot be given.
    Nothing,
    Memory(Arc<[u8]>),
    Copy {
        file: Arc<File>,
        buffer: usize,
    },
    Sendfile(Arc<File>),
    Splice {
        file: Arc<File>,
        pipe: SplicePipe,
    },
    Mapped {
        file: Arc<File>,
        mapping: Mapping,
        base: u64,
        zero_copy: bool,
    },
}

impl Sender {
    pub(crate) fn new(mode: BodyMode) -> Self {
        Self {
            mode,
            pipes: Vec::new(),
            buffers: Vec::new(),
            budget: TURN_BYTES,
            sent: Sent::default(),
        }
    }

    /// Another connection has its turn.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.budget = TURN_BYTES;
    }

    /// Copies a small body behind the bytes that wait, so that one `send` carries both. False when
    /// the body is not small or this mode does not copy.
    #[inline]
    pub(crate) fn inline(&mut self, body: &Body, out: &mut Vec<u8>) -> io::Result<bool> {
        // 16 KiB: copying more costs more than the second part of a system call that it saves.
        const SMALL: u64 = 16 << 10;
        if body.length > SMALL {
            return Ok(false);
        }
        match (&body.content, copied_by(self.mode)) {
            (Content::Memory(bytes), _) => {
                out.extend_from_slice(memory_part(bytes, body.offset, body.length)?);
                Ok(true)
            }
            (Content::File(file), Some(buffer)) if body.length <= buffer as u64 => {
                let mut done = 0;
                while done < body.length {
                    let length = (body.length - done) as usize;
                    match uninterrupted(|| {
                        transfer::read_at(file, body.offset + done, length, out)
                    })? {
                        0 => return Err(cut_short()),
                        count => done += count as u64,
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn source(&mut self, socket: impl AsFd, body: &Body) -> io::Result<Source> {
        let file = match &body.content {
            Content::Memory(bytes) => {
                memory_part(bytes, body.offset, body.length)?;
                return Ok(Source::Memory(Arc::clone(bytes)));
            }
            Content::File(file) => Arc::clone(file),
        };
        Ok(match self.mode {
            BodyMode::Sendfile => Source::Sendfile(file),
            BodyMode::Splice => match self
                .pipes
                .pop()
                .map_or_else(|| SplicePipe::new(PIPE_BYTES), Ok)
            {
                Ok(pipe) => Source::Splice { file, pipe },
                Err(_) => {
                    self.sent.splice_copied += 1;
                    Source::Copy {
                        file,
                        buffer: COPY_BYTES,
                    }
                }
            },
            BodyMode::Mmap | BodyMode::MsgZerocopy if body.length > 0 => {
                let zero_copy = self.mode == BodyMode::MsgZerocopy;
                if zero_copy {
                    transfer::allow_zero_copy(socket)?;
                }
                let length = usize::try_from(body.length).map_err(|_| cut_short())?;
                let mapping = Mapping::new(&file, body.offset, length)?;
                Source::Mapped {
                    file,
                    mapping,
                    base: body.offset,
                    zero_copy,
                }
            }
            mode => Source::Copy {
                file,
                buffer: copied_by(mode).unwrap_or(COPY_BYTES),
            },
        })
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 && self.buffers.len() < SPARE_BUFFERS {
            self.buffers.push(buffer);
        }
    }

    /// Takes the notices of complete zero-copy sends.
    pub(crate) fn reap(&mut self, socket: impl AsFd) -> io::Result<u64> {
        let notices = transfer::reap_zero_copy(socket)?;
        self.sent.zero_copy += notices.complete;
        self.sent.zero_copy_copied += notices.copied;
        Ok(notices.complete)
    }

    /// True when error conditions of sockets can be notices of zero-copy sends.
    pub(crate) fn uses_zero_copy(&self) -> bool {
        self.mode == BodyMode::MsgZerocopy
    }
}

impl Outbox {
    /// Whether bytes went since the last call.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.body.is_none()
    }

    /// Keeps what `out` holds from `start` on. The buffers change places: no byte is copied.
    pub(crate) fn hold(&mut self, out: &mut Vec<u8>, start: usize, sender: &mut Sender) {
        debug_assert!(self.is_empty(), "replies keep their order");
        let spare = sender.buffers.pop().unwrap_or_default();
        self.bytes = std::mem::replace(out, spare);
        self.start = start;
    }

    /// Keeps a copy of `bytes` behind everything that waits.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        match &mut self.body {
            Some(body) => body.tail.extend_from_slice(bytes),
            None => self.bytes.extend_from_slice(bytes),
        }
    }

    /// Keeps what `out` holds, then `body`. Where that cannot be given, what `out` holds is sent all the
    /// same: earlier answers, and a head that promised it.
    pub(crate) fn hold_body(
        &mut self,
        socket: impl AsFd,
        out: &mut Vec<u8>,
        body: &Body,
        sender: &mut Sender,
    ) {
        let source = sender.source(socket, body).unwrap_or(Source::Nothing);
        self.hold(out, 0, sender);
        let (offset, remaining) = (body.offset, body.length);
        let mut sending = Box::new(Sending {
            source,
            offset,
            remaining,
            tail: Vec::new(),
        });
        // The head and the first piece of a copied file go in one send.
        if sending.read_piece(&mut self.bytes).is_err() {
            sending.source = Source::Nothing;
        }
        self.body = Some(sending);
    }

    /// Keeps what `out` holds, behind which something is missing.
    pub(crate) fn hold_cut_short(&mut self, out: &mut Vec<u8>, sender: &mut Sender) {
        self.hold(out, 0, sender);
        self.body = Some(Box::new(Sending {
            source: Source::Nothing,
            offset: 0,
            remaining: 1,
            tail: Vec::new(),
        }));
    }

    /// Sends as much as the socket and the turn allow.
    ///
    /// # Errors
    /// The peer is gone.
    pub(crate) fn flush(&mut self, socket: impl AsFd, sender: &mut Sender) -> io::Result<Flushed> {
        let socket = socket.as_fd();
        loop {
            let attempt = if self.start < self.bytes.len() {
                self.send_bytes(socket, sender)
            } else {
                self.bytes.clear();
                self.start = 0;
                let Some(body) = &mut self.body else {
                    sender.recycle(std::mem::take(&mut self.bytes));
                    return Ok(Flushed::All);
                };
                if body.remaining == 0 {
                    self.finish_body(sender);
                    continue;
                }
                if sender.budget == 0 {
                    return Ok(Flushed::TurnOver);
                }
                body.send_piece(socket, sender, &mut self.bytes)
            };
            match attempt {
                Ok(()) => self.moved = true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    *self = Self::default();
                    return Ok(Flushed::CutShort);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn send_bytes(&mut self, socket: impl AsFd, sender: &mut Sender) -> io::Result<()> {
        let bytes = &self.bytes[self.start..];
        let sent = match self.body.as_deref_mut() {
            // Head and body in one system call.
            Some(Sending {
                source: Source::Memory(memory),
                offset,
                remaining,
                ..
            }) if *remaining > 0 => {
                let length = (*remaining).min(sender.budget.max(1) as u64);
                let part = memory_part(memory, *offset, length)?;
                let sent = socket::send_two(socket, bytes, part)?;
                let of_body = sent.saturating_sub(bytes.len());
                *offset += of_body as u64;
                *remaining -= of_body as u64;
                sender.budget = sender.budget.saturating_sub(of_body);
                sender.sent.bytes += of_body as u64;
                sent - of_body
            }
            body => {
                let more = body.as_ref().is_some_and(|body| body.remaining > 0);
                socket::send(socket, bytes, more)?
            }
        };
        sender.sent.bytes += sent as u64;
        self.start += sent;
        Ok(())
    }

    fn finish_body(&mut self, sender: &mut Sender) {
        if let Some(body) = self.body.take() {
            sender.recycle(std::mem::replace(&mut self.bytes, body.tail));
            if let Source::Splice { pipe, .. } = body.source {
                sender.pipes.push(pipe);
            }
        }
    }
}

impl Sending {
    /// Reads the next piece of a file that is sent by copying; nothing for the other sources.
    fn read_piece(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        let Source::Copy { file, buffer } = &self.source else {
            return Ok(0);
        };
        if self.remaining == 0 {
            return Ok(0);
        }
        let length = self.remaining.min(*buffer as u64) as usize;
        let count = uninterrupted(|| transfer::read_at(file, self.offset, length, out))?;
        if count == 0 {
            return Err(cut_short());
        }
        self.advance(count);
        Ok(count)
    }

    fn send_piece(
        &mut self,
        socket: impl AsFd,
        sender: &mut Sender,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let length = self.remaining.min(sender.budget as u64) as usize;
        let more = self.remaining > length as u64;
        let offset = self.offset;
        let count = match &mut self.source {
            Source::Nothing => 0,
            Source::Copy { .. } => {
                // Counted as sent when the bytes are.
                let count = self.read_piece(out)?;
                sender.budget = sender.budget.saturating_sub(count);
                return Ok(());
            }
            Source::Memory(memory) => {
                socket::send(socket, memory_part(memory, offset, length as u64)?, more)?
            }
            Source::Sendfile(file) => transfer::send_file(socket, file, offset, length)?,
            Source::Splice { file, pipe } => {
                // What the pipe holds comes first; the offset counts what left it.
                if pipe.fill(file, offset, length)? == 0 {
                    0
                } else {
                    pipe.drain(socket, more)?
                }
            }
            Source::Mapped {
                mapping,
                base,
                zero_copy,
                file,
            } => {
                // Behind a new end, a mapping reads as zeroes to the end of its page.
                hold_promise(file, offset + self.remaining)?;
                let from = (offset - *base) as usize;
                send_mapped(socket, mapping, from, length, more, *zero_copy, sender)?
            }
        };
        if count == 0 {
            return Err(cut_short());
        }
        self.advance(count);
        sender.budget = sender.budget.saturating_sub(count);
        sender.sent.bytes += count as u64;
        Ok(())
    }

    fn advance(&mut self, count: usize) {
        self.offset += count as u64;
        self.remaining -= count as u64;
    }
}

fn send_mapped(
    socket: impl AsFd,
    mapping: &Mapping,
    from: usize,
    length: usize,
    more: bool,
    zero_copy: bool,
    sender: &mut Sender,
) -> io::Result<usize> {
    let socket = socket.as_fd();
    match mapping.send(socket, from, length, more, zero_copy) {
        // Too many notices wait: take them, and send this piece the plain way if that was not it.
        Err(error) if zero_copy && error.raw_os_error() == Some(NO_BUFFERS) => {
            let zero_copy = sender.reap(socket)? > 0;
            match mapping.send(socket, from, length, more, zero_copy) {
                Err(error) if error.raw_os_error() == Some(NO_BUFFERS) => {
                    mapping.send(socket, from, length, more, false)
                }
                answer => answer,
            }
        }
        answer => answer,
    }
}

/// `ENOBUFS` on Linux.
const NO_BUFFERS: i32 = 105;

/// The buffer of the modes that copy, as they stand for files.
fn copied_by(mode: BodyMode) -> Option<usize> {
    match mode {
        BodyMode::Memory => Some(COPY_BYTES),
        BodyMode::Copy { buffer } => Some(buffer),
        _ => None,
    }
}

fn memory_part(bytes: &[u8], offset: u64, length: u64) -> io::Result<&[u8]> {
    let start = usize::try_from(offset).ok();
    let end = start
        .zip(usize::try_from(length).ok())
        .and_then(|(start, n)| start.checked_add(n));
    start
        .zip(end)
        .and_then(|(start, end)| bytes.get(start..end))
        .ok_or_else(cut_short)
}

/// An error when the file no longer reaches to `end`.
pub(crate) fn hold_promise(file: &File, end: u64) -> io::Result<()> {
    if file.metadata()?.len() < end {
        Err(cut_short())
    } else {
        Ok(())
    }
}

fn cut_short() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the content is shorter than the length promised",
    )
}

fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests;
