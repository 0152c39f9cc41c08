//! The head of a response, as far as a load generator needs it: status, framing and keep-alive.
//!
//! It is called once for each answer under load, so it looks at the first byte and the length of a
//! header line before it compares a name, and it allocates nothing. It is not a validator: what it
//! does not need it steps over.

use memchr::memchr;
use thiserror::Error;

/// A head longer than this many bytes is an error: no server under test sends one.
pub const HEAD_MAX: usize = 64 << 10;

/// The head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status code, 100 to 999.
    pub status: u16,
    /// Bytes of the head, the empty line included: the body begins here.
    pub length: usize,
    /// `Content-Length`, if there is one.
    pub content_length: Option<u64>,
    /// True when the body comes in chunks (`Transfer-Encoding: chunked`).
    pub chunked: bool,
    /// True when the connection can carry a further request.
    pub keep_alive: bool,
}

impl ResponseHead {
    /// Bytes of the body that follows; `None` when it ends with the connection or comes in chunks.
    /// `to_head` says that the request was a HEAD, which never gets a body.
    pub fn body_length(&self, to_head: bool) -> Option<u64> {
        let never = self.status < 200 || self.status == 204 || self.status == 304;
        if to_head || never {
            return Some(0);
        }
        if self.chunked {
            None
        } else {
            self.content_length
        }
    }
}

/// The bytes are no head of an HTTP/1.x response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("at byte {offset} of the response head: {because}")]
pub struct ResponseError {
    /// Where, counted from the beginning of the head.
    pub offset: usize,
    /// What was expected.
    pub because: &'static str,
}

/// Reads the head at the beginning of `input`; `None` when it is not complete yet.
///
/// # Errors
/// [`ResponseError`] for bytes that more input cannot mend.
pub fn parse(input: &[u8]) -> Result<Option<ResponseHead>, ResponseError> {
    let Some(line) = line(input, 0)? else {
        return Ok(None);
    };
    let (status, minor) = status_line(&input[..line.end])?;
    let mut head = ResponseHead {
        status,
        length: 0,
        content_length: None,
        chunked: false,
        keep_alive: minor >= 1,
    };
    let mut at = line.next;
    loop {
        let Some(line) = self::line(input, at)? else {
            return Ok(None);
        };
        if line.end == at {
            head.length = line.next;
            return Ok(Some(head));
        }
        header(&mut head, &input[at..line.end], at)?;
        at = line.next;
    }
}

/// Where a line ends and where the next one begins.
struct Line {
    end: usize,
    next: usize,
}

/// Finds the end of the line that begins at `at`.
fn line(input: &[u8], at: usize) -> Result<Option<Line>, ResponseError> {
    let Some(found) = memchr(b'\n', &input[at..]) else {
        if input.len() >= HEAD_MAX {
            return Err(ResponseError {
                offset: HEAD_MAX,
                because: "the head does not end",
            });
        }
        return Ok(None);
    };
    let feed = at + found;
    let end = if feed > at && input[feed - 1] == b'\r' {
        feed - 1
    } else {
        feed
    };
    Ok(Some(Line {
        end,
        next: feed + 1,
    }))
}

/// Status and minor version of `HTTP/1.1 200 OK`.
fn status_line(line: &[u8]) -> Result<(u16, u8), ResponseError> {
    let error = |offset, because| Err(ResponseError { offset, because });
    if line.len() < 12 || !line.starts_with(b"HTTP/1.") || line[8] != b' ' {
        return error(0, "expected `HTTP/1.x ` and a status");
    }
    let minor = line[7].wrapping_sub(b'0');
    let digits = &line[9..12];
    let ends = line.len() == 12 || line[12] == b' ';
    if minor > 9 || !ends || !digits.iter().all(u8::is_ascii_digit) || digits[0] == b'0' {
        return error(9, "expected a status of three digits");
    }
    let status = digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Ok((status, minor))
}

/// Takes what is needed from one header line that begins at `at`.
fn header(head: &mut ResponseHead, line: &[u8], at: usize) -> Result<(), ResponseError> {
    // Three names matter, and they begin with two letters: most lines end here.
    match line[0] | 0x20 {
        b'c' => {
            if let Some(value) = value_of(line, b"content-length") {
                let length = decimal(value).ok_or(ResponseError {
                    offset: at,
                    because: "Content-Length is no number",
                })?;
                if head.content_length.is_some_and(|before| before != length) {
                    let because = "two different Content-Length";
                    return Err(ResponseError {
                        offset: at,
                        because,
                    });
                }
                head.content_length = Some(length);
            } else if let Some(value) = value_of(line, b"connection") {
                connection(head, value);
            }
        }
        b't' => {
            if let Some(value) = value_of(line, b"transfer-encoding") {
                head.chunked = value.eq_ignore_ascii_case(b"chunked");
                if !head.chunked {
                    let because = "a transfer coding other than chunked";
                    return Err(ResponseError {
                        offset: at,
                        because,
                    });
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn connection(head: &mut ResponseHead, value: &[u8]) {
    for option in value.split(|&byte| byte == b',') {
        let option = option.trim_ascii();
        if option.eq_ignore_ascii_case(b"close") {
            head.keep_alive = false;
            return;
        }
        if option.eq_ignore_ascii_case(b"keep-alive") {
            head.keep_alive = true;
        }
    }
}

/// The value of the line when its name is `name` (lower case).
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let matches = line.len() > name.len()
        && line[name.len()] == b':'
        && line[..name.len()].eq_ignore_ascii_case(name);
    matches.then(|| line[name.len() + 1..].trim_ascii())
}

/// A number of digits only; `None` for anything else and beyond `u64`.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 \
        11:00:00 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: 1024\r\n\
        Connection: keep-alive\r\nETag: \"65-400\"\r\nAccept-Ranges: bytes\r\n\r\nbody";

    #[test]
    fn head_is_read_and_the_body_left() {
        let head = parse(NGINX).unwrap().unwrap();
        assert_eq!(head.status, 200);
        assert_eq!(head.content_length, Some(1024));
        assert!(head.keep_alive && !head.chunked);
        assert_eq!(&NGINX[head.length..], b"body");
        assert_eq!(head.body_length(false), Some(1024));
        assert_eq!(head.body_length(true), Some(0));
    }

    #[test]
    fn head_cut_anywhere_is_not_complete() {
        let whole = parse(NGINX).unwrap().unwrap().length;
        for cut in 0..whole {
            assert_eq!(parse(&NGINX[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn keep_alive_follows_version_and_connection() {
        for (text, keep_alive) in [
            (&b"HTTP/1.1 200\r\n\r\n"[..], true),
            (b"HTTP/1.0 200 OK\r\n\r\n", false),
            (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", true),
            (b"HTTP/1.1 200 OK\r\nCONNECTION: x, Close\r\n\r\n", false),
        ] {
            assert_eq!(
                parse(text).unwrap().unwrap().keep_alive,
                keep_alive,
                "{text:?}"
            );
        }
    }

    #[test]
    fn body_without_length_ends_with_the_connection() {
        let head = parse(b"HTTP/1.1 200 OK\n\n").unwrap().unwrap();
        assert_eq!(head.body_length(false), None);
        let head = parse(b"HTTP/1.1 304 Not Modified\r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!(head.body_length(false), Some(0));
        let head = parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            .unwrap()
            .unwrap();
        assert!(head.chunked);
        assert_eq!(head.body_length(false), None);
    }

    #[test]
    fn wrong_heads_are_refused() {
        for text in [
            &b"HTTP/2 200 OK no\r\n\r\n"[..],
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 2x0 OK\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 12a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        ] {
            assert!(parse(text).is_err(), "{:?}", String::from_utf8_lossy(text));
        }
        assert!(parse(&vec![b'a'; HEAD_MAX]).is_err());
    }
}
