//! Requests and responses of the cases.

use ringside_wire::http::response::{self, ResponseHead};

use crate::case::{Failure, Target, ensure};
use crate::client::Client;

/// A response that came whole.
pub(super) struct Response {
    pub(super) head: ResponseHead,
    /// The head as text.
    text: String,
    pub(super) body: Vec<u8>,
}

impl Response {
    pub(super) fn status(&self) -> u16 {
        self.head.status
    }

    /// The value of a field, whatever the case of its name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The value of a field that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Failure> {
        self.field(name)
            .ok_or_else(|| Failure::new(format!("the answer has no {name}")))
    }

    /// Fails unless the status is one of `expected`.
    pub(super) fn expect(&self, expected: &[u16]) -> Result<(), Failure> {
        ensure(expected.contains(&self.status()), || {
            let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            format!("expected {}, got {}", expected.join(" or "), self.status())
        })
    }
}

impl Client {
    /// Reads one final response (interim ones are skipped) with its body.
    pub(super) fn response(&mut self, to_head: bool) -> Result<Response, Failure> {
        loop {
            let response = self.response_or_interim(to_head)?;
            if response.status() >= 200 {
                return Ok(response);
            }
        }
    }

    /// Reads one response, which may be an interim one.
    pub(super) fn response_or_interim(&mut self, to_head: bool) -> Result<Response, Failure> {
        let head = self.head()?;
        let text = String::from_utf8_lossy(&self.take(head.length)?).into_owned();
        let body = match head.body_length(to_head) {
            Some(length) => self.take(usize::try_from(length).unwrap_or(usize::MAX))?,
            None if head.chunked => self.chunks()?,
            None => {
                while self.more(64 << 10)? {}
                std::mem::take(&mut self.pending)
            }
        };
        Ok(Response { head, text, body })
    }

    /// Waits for a head, and leaves it where it is.
    pub(super) fn head(&mut self) -> Result<ResponseHead, Failure> {
        loop {
            match response::parse(&self.pending) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(error) => return Err(Failure::new(error.to_string())),
            }
            let got = self.pending.len();
            ensure(self.more(16 << 10)?, || {
                format!("the connection ended after {got} bytes of a response head")
            })?;
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(digits, 16)
                .map_err(|_| Failure::new(format!("`{line}` is no length of a chunk")))?;
            body.extend_from_slice(&self.take(length)?);
            let end = self.line()?;
            ensure(end.is_empty(), || {
                "a chunk does not end where it says".to_owned()
            })?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.pending.iter().position(|&byte| byte == b'\n') {
                let line = self.take(end + 1)?;
                return Ok(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
            }
            ensure(self.more(4096)?, || {
                "the connection ended in a chunked body".to_owned()
            })?;
        }
    }
}

/// A GET of HTTP/1.1 with these lines behind its Host; each line ends in CR LF.
pub(super) fn get(path: &str, lines: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").into_bytes()
}

/// The answer to one request on a connection of its own.
pub(super) fn ask(target: &Target, request: &[u8]) -> Result<Response, Failure> {
    let mut client = Client::connect(target)?;
    client.send_unwanted(request);
    client.response(request.starts_with(b"HEAD "))
}

/// Sends what must be refused: the answer, or `None` where the server closed without one.
pub(super) fn refused(target: &Target, request: &[u8]) -> Result<Option<Response>, Failure> {
    let mut client = Client::connect(target)?;
    client.send_unwanted(request);
    match client.response(false) {
        Ok(response) => Ok(Some(response)),
        Err(failure) if failure.because.starts_with("nothing came") => Err(failure),
        Err(_) => Ok(None),
    }
}
