//! The head of a request, parsed in place in one pass (RFC 9112, sections 2 to 7).
//!
//! The parser is strict where leniency lets two programs read one message in two ways: bare LF and
//! CR, folded lines, white space before a colon, repeated `Host`, and any doubt about where a body
//! ends are refused. What is refused stays refused whatever comes behind it, so input may be cut at
//! every byte.

use thiserror::Error;

use super::{response::decimal, scan};

/// How much of a head is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole head; beyond it: 431.
    pub head_max: usize,
    /// Bytes of the request target, below `head_max`; beyond it: 414.
    pub target_max: usize,
    /// Header fields; beyond it: 431.
    pub fields_max: usize,
}

impl Default for Limits {
    /// 16 KiB, 8 KiB and 100 fields: about what nginx and Apache accept.
    fn default() -> Self {
        Self {
            head_max: 16 << 10,
            target_max: 8 << 10,
            fields_max: 100,
        }
    }
}

/// A request method (RFC 9110, 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// A method of RFC 9110 or RFC 5789 that only changes things or asks for other things.
    Known,
    /// Any other token.
    Unknown,
}

/// How the body behind the head is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes, usually none.
    Length(u64),
    /// Chunks, see [`super::chunked`].
    Chunked,
}

/// Header fields that make a request conditional or partial; as they came, without outer spaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conditions<'a> {
    /// `Range`; an empty value when it stood twice, which no range matches.
    pub range: Option<&'a [u8]>,
    /// `If-Range`.
    pub if_range: Option<&'a [u8]>,
    /// `If-Match`; the last one when repeated, which can only refuse more.
    pub if_match: Option<&'a [u8]>,
    /// `If-None-Match`; the last one when repeated, which can only send more.
    pub if_none_match: Option<&'a [u8]>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<&'a [u8]>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<&'a [u8]>,
}

/// A whole head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// The target as it came: `/path?query`, `http://host/path`, `*` or `host:port`.
    pub target: &'a [u8],
    /// Minor version: 0, or 1 for everything above.
    pub minor: u8,
    /// Bytes of the head, the empty line included: the body begins here.
    pub length: usize,
    /// Where the body ends.
    pub framing: Framing,
    /// True when the connection goes on behind the reply.
    pub keep_alive: bool,
    /// True when the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
    /// True when any of `conditions` is there.
    pub conditional: bool,
    /// Conditions and range.
    pub conditions: Conditions<'a>,
}

/// Why a request is refused. Nothing behind it on the connection can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It breaks the grammar or its framing is ambiguous: 400.
    #[error("malformed request: {because}")]
    Malformed {
        /// What was wrong.
        because: &'static str,
    },
    /// The target is longer than [`Limits::target_max`]: 414.
    #[error("the request target is too long")]
    TargetTooLong,
    /// An expectation other than `100-continue`: 417.
    #[error("an expectation that cannot be met")]
    Expectation,
    /// More bytes or more fields than [`Limits`] allow: 431.
    #[error("the request head is too large")]
    HeadTooLarge,
    /// A method of more than 32 bytes: 501.
    #[error("a method that is not implemented")]
    Method,
    /// A transfer coding other than `chunked`: 501.
    #[error("a transfer coding that is not implemented")]
    Coding,
    /// A major version other than 1: 505.
    #[error("a version of HTTP that is not supported")]
    Version,
}

impl Refusal {
    /// The status of the reply.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed { .. } => 400,
            Self::TargetTooLong => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::Method | Self::Coding => 501,
            Self::Version => 505,
        }
    }
}

/// Bytes of the longest method; no known one comes near.
const METHOD_MAX: usize = 32;

/// A head as client libraries send it, for whatever is measured with one.
pub const TYPICAL: &str = "GET /assets/app.js?v=3 HTTP/1.1\r\n\
    Host: www.example.org\r\n\
    User-Agent: python-requests/2.32.4\r\n\
    Accept: */*\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    If-None-Match: \"5f3759df-400\"\r\n\
    Range: bytes=0-1023\r\n\
    Connection: keep-alive\r\n\r\n";

/// Reads the head at the beginning of `input`; `None` when it is not complete yet.
///
/// # Errors
/// [`Refusal`], as soon as the offending byte is there.
pub fn parse<'a>(input: &'a [u8], limits: &Limits) -> Result<Option<Request<'a>>, Refusal> {
    let bound = input.len().min(limits.head_max);
    let mut parser = Parser {
        input: &input[..bound],
        at: 0,
        limits,
    };
    match parser.head() {
        Ok(request) => Ok(Some(request)),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Incomplete) if bound == limits.head_max => Err(Refusal::HeadTooLarge),
        Err(Stop::Incomplete) => Ok(None),
    }
}

/// Why parsing ended before the empty line.
enum Stop {
    Incomplete,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn malformed<T>(because: &'static str) -> Result<T, Stop> {
    Err(Stop::Refused(Refusal::Malformed { because }))
}

struct Parser<'a, 'l> {
    input: &'a [u8],
    at: usize,
    limits: &'l Limits,
}

impl<'a> Parser<'a, '_> {
    fn head(&mut self) -> Result<Request<'a>, Stop> {
        self.empty_lines()?;
        let method = self.method()?;
        let target = self.target()?;
        let minor = self.version()?;
        let mut fields = Fields::default();
        let mut count = 0;
        while !self.empty_line()? {
            count += 1;
            if count > self.limits.fields_max {
                return Err(Refusal::HeadTooLarge.into());
            }
            let (name, value) = self.field()?;
            fields.take(name, value, minor)?;
        }
        let framing = fields.framing(minor)?;
        if fields.host.is_none() && minor > 0 {
            return malformed("no Host field");
        }
        Ok(Request {
            method,
            target,
            minor,
            length: self.at,
            framing,
            keep_alive: !fields.close && (minor > 0 || fields.keep_alive),
            expects_continue: fields.expects_continue,
            conditional: fields.conditional,
            conditions: fields.conditions,
        })
    }

    fn peek(&self) -> Result<u8, Stop> {
        self.input.get(self.at).copied().ok_or(Stop::Incomplete)
    }

    /// Steps over CR LF, or says why not.
    fn line_end(&mut self) -> Result<(), Stop> {
        match &self.input[self.at..] {
            [b'\r', b'\n', ..] => {
                self.at += 2;
                Ok(())
            }
            [] | [b'\r'] => Err(Stop::Incomplete),
            _ => malformed("a line that does not end in CR LF, or holds a control character"),
        }
    }

    /// Empty lines in front of a request are left over from clients that count bodies wrongly
    /// (RFC 9112, 2.2).
    fn empty_lines(&mut self) -> Result<(), Stop> {
        while self.peek()? == b'\r' {
            self.line_end()?;
        }
        Ok(())
    }

    fn method(&mut self) -> Result<Method, Stop> {
        if self.input[self.at..].starts_with(b"GET ") {
            self.at += 4;
            return Ok(Method::Get);
        }
        let rest = &self.input[self.at..];
        let length = scan::token(&rest[..rest.len().min(METHOD_MAX + 1)]);
        if length > METHOD_MAX {
            return Err(Refusal::Method.into());
        }
        let method = match &rest[..length] {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" | b"PUT" | b"DELETE" | b"CONNECT" | b"OPTIONS" | b"TRACE" | b"PATCH" => {
                Method::Known
            }
            _ => Method::Unknown,
        };
        self.at += length;
        if self.peek()? != b' ' || length == 0 {
            return malformed("expected a method and one space");
        }
        self.at += 1;
        Ok(method)
    }

    fn target(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.input[self.at..];
        let length = scan::target(&rest[..rest.len().min(self.limits.target_max + 1)]);
        if length > self.limits.target_max {
            return Err(Refusal::TargetTooLong.into());
        }
        self.at += length;
        if self.peek()? != b' ' || length == 0 {
            return malformed("expected a target of visible characters and one space");
        }
        self.at += 1;
        Ok(&rest[..length])
    }

    /// `HTTP/1.1` and the end of the line. Looked at byte by byte unless it is the usual one, so that
    /// a short wrong line is refused and not waited for.
    fn version(&mut self) -> Result<u8, Stop> {
        if self.input[self.at..].starts_with(b"HTTP/1.1\r\n") {
            self.at += 10;
            return Ok(1);
        }
        for &expected in b"HTTP/" {
            if self.peek()? != expected {
                return malformed("expected a version such as HTTP/1.1");
            }
            self.at += 1;
        }
        let major = self.digit()?;
        if self.peek()? != b'.' {
            return malformed("expected a version such as HTTP/1.1");
        }
        self.at += 1;
        let minor = self.digit()?;
        self.line_end()?;
        if major != 1 {
            return Err(Refusal::Version.into());
        }
        Ok(minor.min(1))
    }

    fn digit(&mut self) -> Result<u8, Stop> {
        let digit = self.peek()?.wrapping_sub(b'0');
        if digit > 9 {
            return malformed("expected a version such as HTTP/1.1");
        }
        self.at += 1;
        Ok(digit)
    }

    /// True behind the empty line that ends the head.
    fn empty_line(&mut self) -> Result<bool, Stop> {
        if self.peek()? != b'\r' {
            return Ok(false);
        }
        self.line_end()?;
        Ok(true)
    }

    /// One `name: value` line.
    fn field(&mut self) -> Result<(&'a [u8], &'a [u8]), Stop> {
        let rest = &self.input[self.at..];
        let length = scan::token(rest);
        self.at += length;
        if self.peek()? != b':' || length == 0 {
            // A line that begins with a space is a folded one, which RFC 9112, 5.2 has refused.
            return malformed("expected the name of a field and a colon, without spaces");
        }
        self.at += 1;
        let begin = self.at;
        self.at += scan::value(&self.input[begin..]);
        let value = &self.input[begin..self.at];
        self.line_end()?;
        Ok((&rest[..length], value.trim_ascii()))
    }
}

/// What the fields seen so far say.
#[derive(Default)]
struct Fields<'a> {
    host: Option<()>,
    content_length: Option<u64>,
    coded: bool,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
    conditional: bool,
    conditions: Conditions<'a>,
}

impl<'a> Fields<'a> {
    /// Takes one field. Names are told apart by their length first, which most of them end at.
    fn take(&mut self, name: &[u8], value: &'a [u8], minor: u8) -> Result<(), Stop> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is(b"host") => self.host(value),
            6 if is(b"expect") => self.expect(value, minor),
            10 if is(b"connection") => {
                self.connection(value);
                Ok(())
            }
            14 if is(b"content-length") => self.content_length(value),
            17 if is(b"transfer-encoding") => self.transfer_encoding(value),
            5 | 7 | 8 | 13 | 17 | 19 => {
                self.condition(name, value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn condition(&mut self, name: &[u8], value: &'a [u8]) {
        let conditions = &mut self.conditions;
        let slot = if name.eq_ignore_ascii_case(b"range") {
            let repeated = conditions.range.is_some();
            conditions.range = Some(if repeated { b"" } else { value });
            self.conditional = true;
            return;
        } else if name.eq_ignore_ascii_case(b"if-range") {
            &mut conditions.if_range
        } else if name.eq_ignore_ascii_case(b"if-match") {
            &mut conditions.if_match
        } else if name.eq_ignore_ascii_case(b"if-none-match") {
            &mut conditions.if_none_match
        } else if name.eq_ignore_ascii_case(b"if-modified-since") {
            &mut conditions.if_modified_since
        } else if name.eq_ignore_ascii_case(b"if-unmodified-since") {
            &mut conditions.if_unmodified_since
        } else {
            return;
        };
        *slot = Some(value);
        self.conditional = true;
    }

    fn host(&mut self, value: &[u8]) -> Result<(), Stop> {
        if self.host.is_some() {
            return malformed("two Host fields");
        }
        if !scan::is_host(value) {
            return malformed("a Host that is no host");
        }
        self.host = Some(());
        Ok(())
    }

    fn expect(&mut self, value: &[u8], minor: u8) -> Result<(), Stop> {
        if minor == 0 {
            // RFC 9110, 10.1.1: ignored in HTTP/1.0.
            return Ok(());
        }
        if !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Expectation.into());
        }
        self.expects_continue = true;
        Ok(())
    }

    fn connection(&mut self, value: &[u8]) {
        for option in value.split(|&byte| byte == b',') {
            let option = option.trim_ascii();
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Stop> {
        if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
            return malformed("a Content-Length that is no number");
        }
        // More than 64 bits is too large for every limit: the reply is 413, not 400.
        let length = decimal(value).unwrap_or(u64::MAX);
        if self.content_length.is_some_and(|before| before != length) {
            return malformed("two different Content-Length");
        }
        self.content_length = Some(length);
        Ok(())
    }

    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), Stop> {
        self.coded = true;
        for coding in value.split(|&byte| byte == b',') {
            let coding = coding.trim_ascii();
            if coding.is_empty() {
                continue;
            }
            if !coding.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::Coding.into());
            }
            if self.chunked {
                return malformed("chunked twice");
            }
            self.chunked = true;
        }
        Ok(())
    }

    /// Where the body ends, if there is one way only to say it (RFC 9112, 6.3).
    fn framing(&self, minor: u8) -> Result<Framing, Stop> {
        if !self.coded {
            return Ok(Framing::Length(self.content_length.unwrap_or(0)));
        }
        if self.content_length.is_some() {
            return malformed("both Content-Length and Transfer-Encoding");
        }
        if minor == 0 || !self.chunked {
            return malformed("a Transfer-Encoding that does not end the body");
        }
        Ok(Framing::Chunked)
    }
}
