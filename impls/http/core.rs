//! HTTP/1.1 over a document root, without sockets: bytes and ticks in, replies and steps out. Every
//! engine of the family but the floor drives this.
//!
//! Speed: a request for a file that was served within the last second is one pass over its head, one
//! look-up in the thread's own slots and two copies (head and body) into the engine's buffer; it
//! allocates nothing, takes no lock and makes no system call.
//!
//! Not here: TLS, compression, directory listings (a directory is its `index.html`, with or without a
//! slash behind its name), multipart ranges (a request for several parts is answered whole, as RFC 9110,
//! 14.2 allows).

use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memchr;
use ringside_engine::{Body, BodyMode, Content, Millis, Progress, Protocol, Step, Tick, plant};
use ringside_wire::http::chunked::Chunked;
use ringside_wire::http::request::{self, Framing, Method, Request};

use crate::cache::Cache;
use crate::files::{Document, Root};
use crate::limits::HttpLimits;
use crate::reply::{self, Answer, Failure};
use crate::worker::{Clock, Worker};

/// A body of up to so many bytes is copied behind its head and sent with it: one system call.
const INLINE_MAX: u64 = 64 << 10;
/// A buffer of replies that is longer gets no further bodies: they go as a step of their own, so that
/// deep pipelines of large answers do not grow it without bound.
const REPLIES_MAX: usize = 128 << 10;
/// Time that a client has to take the last replies. The core does not see when they are out, but it
/// begins anew as long as the engine says that they wait.
const DRAIN_MAX: Millis = 30_000;

thread_local! {
    static WORKER: RefCell<Worker> = RefCell::default();
}

/// The server's side of HTTP for one document root.
#[derive(Debug)]
pub struct Http {
    owner: u64,
    cache: Cache,
    limits: HttpLimits,
}

/// What is remembered of one connection.
#[derive(Debug)]
pub struct Connection {
    phase: Phase,
    /// Since when the current wait lasts: for a head, for its end, for part of a body, or for the end.
    since: Millis,
    /// Bytes of an incomplete head that were looked at.
    seen: usize,
    /// A body is being sent: the client's silence means nothing.
    sending: bool,
    /// The request at hand is a HEAD: not even an error has a body.
    bodiless: bool,
}

#[derive(Debug)]
enum Phase {
    /// Between requests, or in a head when `seen` is not 0.
    Head,
    /// In a body that is dropped; the request is answered behind it.
    Body(Box<Upload>),
    /// The last reply is out.
    Closing,
}

/// A request whose body is still coming.
#[derive(Debug)]
struct Upload {
    /// Its head, which is read again when the body has ended: bodies of GET are rare.
    head: Vec<u8>,
    end: UploadEnd,
    /// Bytes of it that came since the current window began.
    received: u64,
}

#[derive(Debug)]
enum UploadEnd {
    Left(u64),
    Chunks(Chunked),
}

impl Http {
    /// A server of the files below `root`.
    ///
    /// # Errors
    /// The system's answer when the folder cannot be opened.
    pub fn new(root: &Path, body: BodyMode, limits: HttpLimits) -> io::Result<Self> {
        Ok(Self::over(Cache::new(Root::open(root)?, body), limits))
    }

    fn over(cache: Cache, limits: HttpLimits) -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(1);
        // Relaxed: numbers need only differ.
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        Self {
            owner,
            cache,
            limits,
        }
    }

    fn with_worker<R>(&self, now: Millis, act: impl FnOnce(&mut Worker) -> R) -> R {
        WORKER.with_borrow_mut(|worker| {
            worker.belong_to(self.owner);
            worker.clock.update(now);
            act(worker)
        })
    }
}

impl Protocol for Http {
    type Connection = Connection;

    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.cache.directory()]
    }

    /// With files of its own: a descriptor that another thread opened would be another file here.
    fn in_own_table(self: &Arc<Self>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self::over(self.cache.anew()?, self.limits)))
    }

    fn open(&self, now: Millis) -> Connection {
        Connection {
            phase: Phase::Head,
            since: now,
            seen: 0,
            sending: false,
            bodiless: false,
        }
    }

    fn receive(
        &self,
        connection: &mut Connection,
        input: &[u8],
        now: Millis,
        out: &mut Vec<u8>,
    ) -> Progress {
        if connection.sending {
            connection.sending = false;
            connection.since = now;
        }
        self.with_worker(now, |worker| {
            Turn {
                http: self,
                connection,
                worker,
                input,
                at: 0,
                now,
                out,
            }
            .run()
        })
    }

    fn held_up(&self, connection: &mut Connection, now: Millis) {
        connection.since = now;
        if let Phase::Body(upload) = &mut connection.phase {
            upload.received = 0;
        }
    }

    fn tick(&self, connection: &mut Connection, now: Millis, out: &mut Vec<u8>) -> Tick {
        let waited = now.saturating_sub(connection.since);
        let limits = &self.limits;
        let slow = match &mut connection.phase {
            _ if connection.sending => false,
            Phase::Closing => return close_if(waited > DRAIN_MAX),
            Phase::Head if connection.seen == 0 => return close_if(waited > limits.idle),
            Phase::Head => waited > limits.head_deadline,
            Phase::Body(_) if waited <= limits.body_window => false,
            Phase::Body(upload) => {
                let received = std::mem::take(&mut upload.received);
                connection.since = now;
                received < waited.saturating_mul(limits.body_rate_min) / 1000
            }
        };
        if !slow {
            return Tick::Keep;
        }
        connection.begin_closing(now);
        let failure = connection.last(408);
        self.with_worker(now, |worker| reply::failure(out, failure, &worker.clock));
        Tick::Close
    }
}

fn close_if(over: bool) -> Tick {
    if over { Tick::Close } else { Tick::Keep }
}

impl Connection {
    /// An error behind which the connection cannot go on.
    fn last(&self, status: u16) -> Failure {
        Failure {
            status,
            length: None,
            body: !self.bodiless,
            keep_alive: false,
        }
    }

    fn begin_closing(&mut self, now: Millis) {
        self.phase = Phase::Closing;
        self.since = now;
    }
}

/// Whether a head that is incomplete or refused is that of a HEAD.
#[cold]
fn is_head(input: &[u8]) -> bool {
    let begin = input.iter().position(|byte| !b"\r\n".contains(byte));
    input[begin.unwrap_or(0)..].starts_with(b"HEAD ")
}

/// One call of `receive`.
struct Turn<'a> {
    http: &'a Http,
    connection: &'a mut Connection,
    worker: &'a mut Worker,
    input: &'a [u8],
    at: usize,
    now: Millis,
    out: &'a mut Vec<u8>,
}

impl Turn<'_> {
    fn run(mut self) -> Progress {
        loop {
            let step = match self.connection.phase {
                Phase::Head => self.head(),
                Phase::Body(_) => self.upload(),
                Phase::Closing => Some(Step::Close),
            };
            if let Some(step) = step {
                self.connection.sending = matches!(step, Step::Body(_));
                if matches!(step, Step::Close) {
                    self.connection.since = self.now;
                    self.at = self.input.len();
                }
                return Progress {
                    consumed: self.at,
                    step,
                };
            }
        }
    }

    /// Reads and answers one request; `None` to go on with what is behind it.
    fn head(&mut self) -> Option<Step> {
        let input = &self.input[self.at..];
        if input.is_empty() || !self.is_worth_parsing(input) {
            return Some(Step::Read);
        }
        match request::parse(input, &self.http.limits.head) {
            Ok(Some(request)) => {
                self.at += request.length;
                self.connection.seen = 0;
                self.connection.since = self.now;
                self.request(&request, &input[..request.length])
            }
            Ok(None) => {
                if self.connection.seen == 0 {
                    self.connection.since = self.now;
                }
                self.connection.seen = input.len();
                self.connection.bodiless = is_head(input);
                Some(Step::Read)
            }
            Err(refusal) => {
                self.connection.bodiless = is_head(input);
                Some(self.refuse(refusal.status()))
            }
        }
    }

    /// An incomplete head that grows byte by byte is parsed again only when a line ended or when
    /// some kilobytes came, which bounds the work that a slow client can cause.
    fn is_worth_parsing(&self, input: &[u8]) -> bool {
        let seen = self.connection.seen.min(input.len());
        let new = &input[seen..];
        let crossed = input.len() >> 10 != seen >> 10;
        seen == 0 || crossed || memchr(b'\n', new).is_some()
    }

    /// The connection ends with this status.
    fn refuse(&mut self, status: u16) -> Step {
        let failure = self.connection.last(status);
        reply::failure(self.out, failure, &self.worker.clock);
        self.connection.begin_closing(self.now);
        Step::Close
    }

    /// Takes a request with its head: answered at once, or behind its body.
    fn request(&mut self, request: &Request<'_>, head: &[u8]) -> Option<Step> {
        if matches!(request.framing, Framing::Length(0)) {
            return self.answer(request);
        }
        self.connection.bodiless = request.method == Method::Head;
        let end = match request.framing {
            Framing::Length(length) if length > self.http.limits.body_max => {
                return Some(self.refuse(413));
            }
            Framing::Length(length) => UploadEnd::Left(length),
            Framing::Chunked => UploadEnd::Chunks(Chunked::default()),
        };
        if request.expects_continue && self.at == self.input.len() {
            // A client that waits for a final answer does not send the body: where the body would
            // begin is then unknown, and the connection ends (RFC 9110, 10.1.1).
            match request.method {
                Method::Known => return Some(self.refuse(405)),
                Method::Unknown => return Some(self.refuse(501)),
                Method::Get | Method::Head => {
                    self.out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                }
            }
        }
        let upload = Upload {
            head: head.to_vec(),
            end,
            received: 0,
        };
        self.connection.phase = Phase::Body(Box::new(upload));
        None
    }

    /// Drops what came of a body, and answers behind its end.
    fn upload(&mut self) -> Option<Step> {
        let input = &self.input[self.at..];
        let Phase::Body(upload) = &mut self.connection.phase else {
            return Some(Step::Read);
        };
        let (taken, done) = match upload.take(input, self.http.limits.body_max) {
            Ok(taken) => taken,
            Err(status) => return Some(self.refuse(status)),
        };
        self.at += taken;
        if !done {
            return Some(Step::Read);
        }
        let head = std::mem::take(&mut upload.head);
        self.connection.phase = Phase::Head;
        self.connection.since = self.now;
        match request::parse(&head, &self.http.limits.head) {
            Ok(Some(request)) => self.answer(&request),
            _ => Some(self.refuse(500)),
        }
    }

    /// Answers a request whose body, if it had one, is behind us.
    fn answer(&mut self, request: &Request<'_>) -> Option<Step> {
        plant::operations(1);
        if !request.keep_alive {
            self.connection.begin_closing(self.now);
        }
        let status = match request.method {
            Method::Get | Method::Head => {
                match self.worker.slot(&self.http.cache, request.target, self.now) {
                    Err(status) => status,
                    Ok(slot) if request.conditional || !request.keep_alive => {
                        let document = Arc::clone(&slot.document);
                        return answer_document(self.out, request, &document, &self.worker.clock);
                    }
                    Ok(slot) => {
                        self.out.extend_from_slice(slot.head());
                        return body(self.out, request, &slot.document, 0, slot.document.length);
                    }
                }
            }
            Method::Known => 405,
            Method::Unknown => 501,
        };
        let failure = Failure {
            status,
            length: None,
            body: request.method != Method::Head,
            keep_alive: request.keep_alive,
        };
        reply::failure(self.out, failure, &self.worker.clock);
        None
    }
}

/// Appends the answer to a request with conditions, or to the last one of a connection.
fn answer_document(
    out: &mut Vec<u8>,
    request: &Request<'_>,
    document: &Document,
    clock: &Clock,
) -> Option<Step> {
    let keep_alive = request.keep_alive;
    let failure = |status, length| Failure {
        status,
        length,
        body: request.method != Method::Head,
        keep_alive,
    };
    match reply::decide(request, document, clock) {
        Answer::Whole => {
            reply::whole(out, document, clock, keep_alive);
            return body(out, request, document, 0, document.length);
        }
        Answer::Part { first, length } => {
            reply::part(out, document, (first, length), clock, keep_alive);
            return body(out, request, document, first, length);
        }
        Answer::NotModified => reply::not_modified(out, document, clock, keep_alive),
        Answer::Failed => reply::failure(out, failure(412, None), clock),
        Answer::Unsatisfiable => {
            reply::failure(out, failure(416, Some(document.length)), clock);
        }
    }
    None
}

/// Appends `length` bytes of the document from `offset`, or gives them as a step.
fn body(
    out: &mut Vec<u8>,
    request: &Request<'_>,
    document: &Document,
    offset: u64,
    length: u64,
) -> Option<Step> {
    if request.method == Method::Head || length == 0 {
        return None;
    }
    if let Content::Memory(bytes) = &document.content
        && length <= INLINE_MAX
        && out.len() <= REPLIES_MAX
    {
        // In memory, so that both fit an index.
        let (first, count) = (offset as usize, length as usize);
        out.extend_from_slice(&bytes[first..first + count]);
        return None;
    }
    Some(Step::Body(Body {
        content: document.content.clone(),
        offset,
        length,
    }))
}

impl Upload {
    /// Takes what came; gives how much of it was the body's, and whether it ended there.
    fn take(&mut self, input: &[u8], body_max: u64) -> Result<(usize, bool), u16> {
        let (taken, done) = match &mut self.end {
            UploadEnd::Left(left) => {
                let here = (*left).min(input.len() as u64);
                *left -= here;
                (here as usize, *left == 0)
            }
            UploadEnd::Chunks(chunked) => {
                let taken = chunked.take(input).map_err(|_| 400_u16)?;
                if chunked.received() > body_max {
                    return Err(413);
                }
                (taken.consumed, taken.done)
            }
        };
        self.received += taken as u64;
        Ok((taken, done))
    }
}
