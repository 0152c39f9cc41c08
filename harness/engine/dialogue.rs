//! One connection's protocol state and buffers, without I/O: what the engines on async runtimes
//! (tokio, tokio_uring, compio) share. It asks the core what comes next and turns runs of small
//! replies into one write.

use std::ops::Range;
use std::sync::Arc;

use crate::{Body, Caller, Content, Delivery, Millis, Protocol, Step, Tick};

/// Room for input of one connection. 64 KiB takes the largest echo message in one read; pages that
/// no input has reached yet are not resident, so idle connections stay small.
pub(crate) const INPUT_CAPACITY: usize = 64 << 10;

/// Bodies in memory of at most so many bytes are copied behind their head: copying 16 KiB costs
/// about 1 us, a second write or a second segment costs more.
const INLINE_BODY: u64 = 16 << 10;

/// Replies to pipelined requests are collected up to this size before they are written.
const BATCH: usize = 64 << 10;

/// What an engine has to do now. In every case the collected replies (`out`) are sent first.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing more; ask again.
    Flush,
    /// Wait for input.
    Read,
    /// Send this part of the input, then ask again.
    Reflect(Range<usize>),
    /// Send this body, then ask again.
    Body(Body),
    /// Close, lingering.
    Close,
}

/// The state of one connection.
pub(crate) struct Dialogue<P: Protocol> {
    protocol: Arc<P>,
    connection: P::Connection,
    /// What came; its length is what was filled, its capacity the room.
    pub(crate) input: Vec<u8>,
    /// Where the unconsumed part of `input` starts.
    start: usize,
    /// Replies that were not sent yet.
    pub(crate) out: Vec<u8>,
    /// True when the core should be asked although no new input came.
    pending: bool,
}

impl<P: Protocol> Dialogue<P> {
    /// A connection that was just accepted.
    pub(crate) fn open(protocol: Arc<P>, now: Millis) -> Self {
        let connection = protocol.open(now);
        let input = Vec::with_capacity(INPUT_CAPACITY);
        Self {
            protocol,
            connection,
            input,
            start: 0,
            out: Vec::new(),
            pending: false,
        }
    }

    /// Asks the core about the input that is there.
    pub(crate) fn next(&mut self, now: Millis) -> Next {
        loop {
            let begin = self.start.min(self.input.len());
            let input = &self.input[begin..];
            let progress = self
                .protocol
                .receive(&mut self.connection, input, now, &mut self.out);
            debug_assert!(
                progress.consumed <= input.len(),
                "a core consumes at most its input"
            );
            self.start = (begin + progress.consumed).min(self.input.len());
            self.pending = matches!(progress.step, Step::Body(_) | Step::Reflect { .. });
            match progress.step {
                Step::Read => return Next::Read,
                Step::Close => return Next::Close,
                Step::Reflect { length } => {
                    self.pending = self.start < self.input.len();
                    return Next::Reflect(begin..(begin + length).min(self.start));
                }
                Step::Body(body) => match inline(&body) {
                    Some(bytes) => self.out.extend_from_slice(bytes),
                    None => return Next::Body(body),
                },
            }
            if self.out.len() >= BATCH {
                return Next::Flush;
            }
        }
    }

    /// True when [`Self::next`] is to be called before more input is read.
    pub(crate) fn pending(&self) -> bool {
        self.pending
    }

    /// Makes room for input: what was consumed is dropped, and a full buffer grows. Cores close
    /// connections whose requests are too large, which bounds the growth.
    pub(crate) fn make_room(&mut self) {
        if self.start == self.input.len() {
            self.input.clear();
            self.start = 0;
        } else if self.input.len() == self.input.capacity() {
            if self.start > 0 {
                self.input.drain(..self.start);
                self.start = 0;
            } else {
                self.input.reserve(self.input.capacity());
            }
        }
    }

    /// Moves the replies that wait to the start of `buffer`, which has room for them, and gives their
    /// length: a head leaves with the first part of its body.
    pub(crate) fn take_head(&mut self, buffer: &mut [u8]) -> usize {
        let length = self.out.len();
        buffer[..length].copy_from_slice(&self.out);
        self.out.clear();
        length
    }

    /// Gives the core what others can call it by.
    pub(crate) fn introduce(&mut self, caller: Caller) {
        self.protocol.introduce(&mut self.connection, caller);
    }

    /// Takes what others have for it, behind the replies that wait.
    pub(crate) fn deliver(&mut self, now: Millis) -> Delivery {
        self.protocol
            .deliver(&mut self.connection, now, &mut self.out)
    }

    /// The peer has closed its side.
    pub(crate) fn half_closed(&mut self) {
        self.protocol
            .half_closed(&mut self.connection, &mut self.out);
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Millis) -> Tick {
        self.protocol.tick(&mut self.connection, now, &mut self.out)
    }

    /// Time has passed while a reply is on its way, in which other words have no place.
    pub(crate) fn tick_unheard(&mut self, now: Millis) -> Tick {
        self.protocol.held_up(&mut self.connection, now);
        let length = self.out.len();
        let verdict = self.tick(now);
        self.out.truncate(length);
        verdict
    }
}

/// The bytes of a body that is small and in memory. A range outside its content gives no bytes: the
/// engine finds it out where it sends bodies.
fn inline(body: &Body) -> Option<&[u8]> {
    match &body.content {
        Content::Memory(_) if body.length <= INLINE_BODY => memory_range(body).and_then(|range| {
            let Content::Memory(bytes) = &body.content else {
                return None;
            };
            bytes.get(range)
        }),
        _ => None,
    }
}

/// The range of a body as positions in memory; `None` when it does not fit into `usize`.
pub(crate) fn memory_range(body: &Body) -> Option<Range<usize>> {
    let end = body.offset.checked_add(body.length)?;
    Some(usize::try_from(body.offset).ok()?..usize::try_from(end).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Progress;

    /// Each input byte is a request: `r` reflects, `m` gives a small body, `l` a large one, `c`
    /// closes, anything else waits for more.
    struct Script;

    impl Protocol for Script {
        type Connection = ();

        fn open(&self, _now: Millis) {}

        fn receive(&self, _: &mut (), input: &[u8], _now: Millis, out: &mut Vec<u8>) -> Progress {
            let body = |length: usize| {
                Step::Body(Body {
                    content: Content::Memory(vec![b'x'; length].into()),
                    offset: 0,
                    length: length as u64,
                })
            };
            let step = match input.first() {
                Some(b'r') => Step::Reflect { length: 1 },
                Some(b'm') => body(3),
                Some(b'l') => body(1 << 20),
                Some(b'c') => Step::Close,
                _ => {
                    return Progress {
                        consumed: 0,
                        step: Step::Read,
                    };
                }
            };
            out.push(b'h');
            Progress { consumed: 1, step }
        }
    }

    fn dialogue(input: &[u8]) -> Dialogue<Script> {
        let mut dialogue = Dialogue::open(Arc::new(Script), 0);
        dialogue.input.extend_from_slice(input);
        dialogue
    }

    #[test]
    fn small_bodies_of_pipelined_requests_are_one_write() {
        let mut dialogue = dialogue(b"mm");
        assert!(matches!(dialogue.next(0), Next::Read));
        assert_eq!(dialogue.out, b"hxxxhxxx");
        assert!(!dialogue.pending());
    }

    #[test]
    fn large_body_is_left_to_the_engine_and_the_core_is_asked_again() {
        let mut dialogue = dialogue(b"lc");
        assert!(matches!(dialogue.next(0), Next::Body(body) if body.length == 1 << 20));
        assert!(dialogue.pending());
        assert!(matches!(dialogue.next(0), Next::Close));
    }

    #[test]
    fn reflected_input_is_named_by_its_place() {
        let mut dialogue = dialogue(b"mrr");
        assert!(matches!(dialogue.next(0), Next::Reflect(range) if range == (1..2)));
        assert!(dialogue.pending());
        assert!(matches!(dialogue.next(0), Next::Reflect(range) if range == (2..3)));
        assert!(!dialogue.pending());
    }

    #[test]
    fn long_runs_of_replies_are_flushed_between() {
        let mut dialogue = dialogue(&vec![b'm'; 20_000]);
        assert!(matches!(dialogue.next(0), Next::Flush));
        assert!(dialogue.out.len() >= BATCH && dialogue.out.len() < BATCH + 8);
        assert!(dialogue.pending());
    }

    #[test]
    fn consumed_input_makes_room_and_a_full_buffer_grows() {
        let mut dialogue = dialogue(b"c??");
        assert!(matches!(dialogue.next(0), Next::Close));
        dialogue.input.resize(dialogue.input.capacity(), b'?');
        dialogue.make_room();
        assert_eq!(
            (dialogue.input.len(), dialogue.start),
            (INPUT_CAPACITY - 1, 0)
        );
        dialogue.input.push(b'?');
        dialogue.make_room();
        assert!(dialogue.input.capacity() >= 2 * INPUT_CAPACITY);
    }

    #[test]
    fn body_outside_of_its_content_is_not_inlined() {
        let body = Body {
            content: Content::Memory(Arc::from(*b"abc")),
            offset: 2,
            length: 5,
        };
        assert!(inline(&body).is_none());
        let overflow = Body {
            offset: u64::MAX,
            ..body
        };
        assert!(memory_range(&overflow).is_none());
    }
}
