//! Sends a body: from memory, by reads and sends, from a mapping, or through a pipe.

use std::fs::File;
use std::io;
use std::mem;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use ringside_metal::ring::{Payload, Socket};
use ringside_metal::transfer::Mapping;
use rustix::io::Errno;

use super::connection::{Event, Shared, tag};
use super::worker::Totals;
use crate::outbox::hold_promise;
use crate::{Body, BodyMode, Content};

/// Bytes of one send from memory or a mapping; the kernel goes on by itself within it.
const CHUNK: u64 = 1 << 20;

/// Bytes read at once from a file that is too large to be kept in memory.
const MEMORY_READ: usize = 256 << 10;

/// Capacity asked for a pipe; an unprivileged user may get no more than this by default.
const PIPE: usize = 1 << 20;

/// A body on its way.
pub(super) struct Transfer {
    source: Source,
    /// Next byte of the source, and bytes from there on for which nothing was started yet.
    offset: u64,
    left: u64,
    zero_copy: bool,
    /// The send in flight is of this body, not of its head.
    sending: bool,
    /// What a short send left.
    again: Option<(Payload, Range<usize>)>,
    /// The file became shorter than the length that was promised: what is at hand is still sent.
    cut: bool,
}

enum Source {
    Memory(Arc<[u8]>),
    /// The file, whose length is asked before each send, and where the body ends in it.
    Mapped {
        file: Arc<File>,
        mapping: Rc<Mapping>,
        end: u64,
    },
    Copy {
        file: Arc<File>,
        chunk: usize,
        reading: bool,
        ready: Option<Vec<u8>>,
        idle: Vec<u8>,
    },
    Splice {
        file: Arc<File>,
        pipe: Pipe,
        filling: bool,
        held: u32,
    },
}

struct Pipe {
    reader: Arc<File>,
    writer: Arc<File>,
    capacity: u32,
}

/// What a step of a transfer did.
pub(super) enum Advance {
    /// Something was started; the connection waits for it.
    Started {
        /// How many operations.
        operations: u32,
        /// The part of its payload that a send is to send, when one was started.
        unsent: Option<Range<usize>>,
    },
    /// Replies before the body have to be sent first.
    Flush,
    /// What was started earlier is still on its way.
    Waiting,
    /// All is sent.
    Done,
    /// The file became shorter than the length that was promised.
    CutShort,
}

impl Transfer {
    /// A transfer of a body that is not empty.
    pub(super) fn new(body: Body, mode: BodyMode, totals: &mut Totals) -> io::Result<Self> {
        let Body {
            content,
            mut offset,
            length,
        } = body;
        let source = match content {
            Content::Memory(bytes) => Source::Memory(bytes),
            Content::File(file) => match mode {
                BodyMode::Mmap | BodyMode::SendZc => {
                    let end = offset.saturating_add(length);
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    let mapping = Mapping::new(&file, mem::take(&mut offset), length)?;
                    let mapping = Rc::new(mapping);
                    Source::Mapped { file, mapping, end }
                }
                BodyMode::Splice => match Pipe::new() {
                    Ok(pipe) => Source::Splice {
                        file,
                        pipe,
                        filling: false,
                        held: 0,
                    },
                    // No descriptor is left: the reply goes all the same.
                    Err(_) => {
                        totals.splice_copied += 1;
                        copy(file, MEMORY_READ)
                    }
                },
                BodyMode::Copy { buffer } => copy(file, buffer),
                // The others are refused when the engine starts.
                BodyMode::Memory | BodyMode::Sendfile | BodyMode::MsgZerocopy => {
                    copy(file, MEMORY_READ)
                }
            },
        };
        let zero_copy = mode == BodyMode::SendZc;
        Ok(Self {
            source,
            offset,
            left: length,
            zero_copy,
            sending: false,
            again: None,
            cut: false,
        })
    }

    /// Whether the send in flight is of this body.
    pub(super) fn is_sending(&self) -> bool {
        self.sending
    }

    /// Starts what can be started. `busy`: a send is in flight. `out`: replies before the body.
    pub(super) fn advance<P>(
        &mut self,
        socket: &Socket,
        index: u32,
        out: &mut Vec<u8>,
        busy: bool,
        shared: &mut Shared<P>,
    ) -> Advance {
        // A read may run ahead of the sends; its first takes the head along, so that both go in one.
        let reads = u32::from(self.read_ahead(index, out, shared));
        if busy {
            return started(reads, None);
        }
        if !out.is_empty() {
            return Advance::Flush;
        }
        if !self.holds_promise() {
            return Advance::CutShort;
        }
        if let Some((payload, range)) = self.again.take() {
            return started(
                reads + 1,
                Some(self.send(socket, index, payload, range, shared)),
            );
        }
        let (offset, left) = (self.offset, self.left);
        let part = |length: usize| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX);
            start..start.saturating_add(length)
        };
        let chunk = usize::try_from(left.min(CHUNK)).unwrap_or(usize::MAX);
        let payload = match &mut self.source {
            Source::Copy { reading, ready, .. } => match ready.take() {
                Some(bytes) => {
                    let range = 0..bytes.len();
                    let unsent = self.send(socket, index, Payload::Bytes(bytes), range, shared);
                    // With its buffer gone, the next read can start at once.
                    let more = u32::from(self.read_ahead(index, out, shared));
                    return started(reads + more + 1, Some(unsent));
                }
                None if *reading => return started(reads, None),
                None if self.cut => return Advance::CutShort,
                None => return Advance::Done,
            },
            Source::Splice { .. } => return self.splice(socket, index, shared),
            _ if left == 0 => return Advance::Done,
            Source::Memory(bytes) => Payload::Shared(Arc::clone(bytes)),
            Source::Mapped { mapping, .. } => Payload::Mapped(Rc::clone(mapping)),
        };
        self.offset += chunk as u64;
        self.left -= chunk as u64;
        started(
            1,
            Some(self.send(socket, index, payload, part(chunk), shared)),
        )
    }

    /// Behind a new end, a mapping reads as zeroes to the end of its page: a file that is cut has to be
    /// seen before the next send.
    fn holds_promise(&self) -> bool {
        match &self.source {
            Source::Mapped { file, end, .. } if self.left > 0 || self.again.is_some() => {
                hold_promise(file, *end).is_ok()
            }
            _ => true,
        }
    }

    /// A read or a splice into the pipe has ended.
    pub(super) fn progressed(&mut self, result: Result<u32, Errno>, payload: Payload) {
        let count = result.unwrap_or(0);
        match (&mut self.source, payload) {
            (Source::Copy { reading, ready, .. }, Payload::Bytes(bytes)) => {
                *reading = false;
                // The head, and the answers before it, came along: they go also where nothing was read.
                *ready = (!bytes.is_empty()).then_some(bytes);
            }
            (Source::Splice { filling, held, .. }, _) => {
                *filling = false;
                *held += count;
            }
            _ => {}
        }
        self.offset += u64::from(count);
        self.left = self.left.saturating_sub(u64::from(count));
        if count == 0 {
            self.cut = true;
            self.left = 0;
        }
    }

    /// A send has ended, of which `left` was not sent. False when it cannot go on.
    pub(super) fn sent(&mut self, count: u32, left: Range<usize>, payload: Payload) -> bool {
        self.sending = false;
        if let Source::Splice { held, .. } = &mut self.source {
            *held = held.saturating_sub(count);
            return count > 0;
        }
        if left.is_empty() {
            if let (Source::Copy { idle, .. }, Payload::Bytes(mut bytes)) =
                (&mut self.source, payload)
            {
                bytes.clear();
                *idle = bytes;
            }
            return true;
        }
        let payload = match &self.source {
            Source::Memory(bytes) => Payload::Shared(Arc::clone(bytes)),
            Source::Mapped { mapping, .. } => Payload::Mapped(Rc::clone(mapping)),
            Source::Copy { .. } | Source::Splice { .. } => payload,
        };
        self.again = Some((payload, left));
        count > 0
    }

    /// A send was interrupted before it sent anything; the next step starts it again from the source,
    /// since a failed send does not always bring its payload back.
    pub(super) fn interrupted(&mut self, left: Range<usize>, payload: Payload) {
        // Only a send that ended is judged by what it sent.
        let _ = self.sent(0, left, payload);
    }

    fn read_ahead<P>(&mut self, index: u32, out: &mut Vec<u8>, shared: &mut Shared<P>) -> bool {
        let Source::Copy {
            file,
            chunk,
            reading,
            ready,
            idle,
        } = &mut self.source
        else {
            return false;
        };
        if *reading || ready.is_some() || self.left == 0 {
            return false;
        }
        *reading = true;
        let bytes = if out.is_empty() {
            mem::take(idle)
        } else {
            mem::take(out)
        };
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(*chunk);
        shared
            .ring
            .read(file, self.offset, bytes, limit, tag(Event::Read, index));
        true
    }

    fn splice<P>(&mut self, socket: &Socket, index: u32, shared: &mut Shared<P>) -> Advance {
        let Source::Splice {
            file,
            pipe,
            filling,
            held,
        } = &mut self.source
        else {
            return Advance::Done;
        };
        if *filling {
            return Advance::Waiting;
        }
        if *held > 0 {
            let (length, more) = (*held, self.left > 0);
            let tag = tag(Event::Sent, index);
            shared
                .ring
                .splice_to_socket(&pipe.reader, socket, length, more, tag);
            self.sending = true;
            return started(1, Some(0..length as usize));
        }
        if self.cut {
            return Advance::CutShort;
        }
        if self.left == 0 {
            return Advance::Done;
        }
        *filling = true;
        let length = u32::try_from(self.left)
            .unwrap_or(u32::MAX)
            .min(pipe.capacity);
        let tag = tag(Event::Piped, index);
        shared
            .ring
            .splice_to_pipe(file, self.offset, &pipe.writer, length, tag);
        started(1, None)
    }

    fn send<P>(
        &mut self,
        socket: &Socket,
        index: u32,
        payload: Payload,
        range: Range<usize>,
        shared: &mut Shared<P>,
    ) -> Range<usize> {
        let tag = tag(Event::Sent, index);
        let unsent = range.clone();
        if self.zero_copy {
            shared.ring.send_zero_copy(socket, payload, range, tag);
        } else {
            shared.ring.send(socket, payload, range, self.left > 0, tag);
        }
        self.sending = true;
        unsent
    }
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        // Refused beyond the user's share of pipe memory: then it stays at 64 KiB, or less.
        let capacity = rustix::pipe::fcntl_setpipe_size(&writer, PIPE)
            .or_else(|_| rustix::pipe::fcntl_getpipe_size(&writer))?;
        let capacity = u32::try_from(capacity).unwrap_or(u32::MAX);
        let (reader, writer) = (Arc::new(File::from(reader)), Arc::new(File::from(writer)));
        Ok(Self {
            reader,
            writer,
            capacity,
        })
    }
}

fn copy(file: Arc<File>, chunk: usize) -> Source {
    Source::Copy {
        file,
        chunk,
        reading: false,
        ready: None,
        idle: Vec::new(),
    }
}

fn started(operations: u32, unsent: Option<Range<usize>>) -> Advance {
    if operations == 0 {
        Advance::Waiting
    } else {
        Advance::Started { operations, unsent }
    }
}
