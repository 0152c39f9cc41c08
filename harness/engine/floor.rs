//! What a floor answers. A floor makes only the system calls that a right answer needs, so it is the
//! limit that a family's engines are held against; it is never ranked.

use std::sync::Arc;

/// The answers of a floor.
#[derive(Debug, Clone)]
pub enum FloorReply {
    /// Every byte that comes goes back.
    Echo,
    /// The same reply to each request, as many as ends of requests came.
    Canned {
        /// The bytes of one reply.
        reply: Arc<[u8]>,
        /// The bytes that end a request, such as an empty line; they may be split between two reads.
        request_end: &'static [u8],
    },
}

/// Counts the ends of requests in one connection's input, also those split between two reads.
#[derive(Debug)]
pub struct Matcher {
    end: &'static [u8],
    /// How many bytes of `end` the input so far ends with.
    matched: usize,
}

impl Matcher {
    /// For a connection that nothing came on yet. An echo has no requests to count.
    pub fn new(reply: &FloorReply) -> Self {
        let end = match reply {
            FloorReply::Echo => &[][..],
            FloorReply::Canned { request_end, .. } => request_end,
        };
        Self { end, matched: 0 }
    }

    /// How many requests end in `input`, which continues what was given before.
    #[inline]
    pub fn count(&mut self, input: &[u8]) -> usize {
        if self.end.is_empty() {
            return 0;
        }
        let mut count = 0;
        for &byte in input {
            while self.matched > 0 && self.end[self.matched] != byte {
                self.matched = longest_border(&self.end[..self.matched]);
            }
            if self.end[self.matched] == byte {
                self.matched += 1;
            }
            if self.matched == self.end.len() {
                count += 1;
                self.matched = 0;
            }
        }
        count
    }
}

/// Length of the longest proper prefix that is a suffix too. Ends of requests are a few bytes long.
fn longest_border(bytes: &[u8]) -> usize {
    (1..bytes.len())
        .rev()
        .find(|&length| bytes.ends_with(&bytes[..length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher() -> Matcher {
        Matcher::new(&FloorReply::Canned {
            reply: Arc::from(&b"ok"[..]),
            request_end: b"\r\n\r\n",
        })
    }

    #[test]
    fn ends_are_counted_wherever_the_input_is_split() {
        let input = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\r\n\r\n";
        for split in 0..=input.len() {
            let mut matcher = matcher();
            let (first, second) = input.split_at(split);
            assert_eq!(
                matcher.count(first) + matcher.count(second),
                2,
                "split at {split}"
            );
        }
    }

    #[test]
    fn ends_do_not_overlap() {
        assert_eq!(matcher().count(b"\r\n\r\n\r\n"), 1);
        assert_eq!(matcher().count(b"\r\n\r\n\r\n\r\n"), 2);
    }
}
