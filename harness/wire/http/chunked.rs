//! Chunked bodies of requests (RFC 9112, 7.1): found to their end and dropped, since a file server
//! has no use for them.

use super::scan;

/// Where in a chunked body the next byte lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the digits of a chunk's length; `digits` so far.
    Length { digits: u8, length: u64 },
    /// In blanks behind the digits, which only an extension may follow: a proxy that drops what stands
    /// there would see another message than one that refuses it.
    Blank { length: u64 },
    /// Behind the `;` of that line: extensions, which are ignored.
    Extension { length: u64 },
    /// Behind the CR of that line.
    LengthEnd { length: u64 },
    /// In the data of a chunk, so many bytes before its end.
    Data { left: u64 },
    /// Behind the data: CR expected.
    DataReturn,
    /// LF expected.
    DataEnd,
    /// At the beginning of a trailer line, or of the empty line that ends the body.
    Trailer,
    /// In the name of a trailer field, up to its colon.
    TrailerName,
    /// In the value of a trailer field.
    TrailerLine,
    /// Behind the CR of a trailer line.
    TrailerEnd,
    /// Behind the CR of the last line.
    LastEnd,
}

/// A decoder that keeps nothing of the data.
#[derive(Debug, Clone, Copy)]
pub struct Chunked {
    state: State,
    received: u64,
    overhead: usize,
}

/// What the decoder did with its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Bytes used.
    pub consumed: usize,
    /// True when the body ended behind them.
    pub done: bool,
}

/// Bytes of extensions and trailers that one body may have: they cost nothing to send and something
/// to read.
const OVERHEAD_MAX: usize = 16 << 10;

/// Why a chunked body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// It breaks the grammar.
    #[error("malformed chunked body")]
    Malformed,
    /// Extensions and trailers of more than 16 KiB.
    #[error("too many chunk extensions or trailers")]
    Overhead,
}

impl Default for Chunked {
    fn default() -> Self {
        Self {
            state: START,
            received: 0,
            overhead: 0,
        }
    }
}

const START: State = State::Length {
    digits: 0,
    length: 0,
};

impl Chunked {
    /// Bytes of data so far, the promised rest of the current chunk included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Takes what came next.
    ///
    /// # Errors
    /// [`ChunkError`]; the connection cannot go on.
    pub fn take(&mut self, input: &[u8]) -> Result<Taken, ChunkError> {
        let mut at = 0;
        while let Some(&byte) = input.get(at) {
            if let State::Data { left } = self.state {
                let here = left.min((input.len() - at) as u64);
                at += here as usize;
                self.state = if here == left {
                    State::DataReturn
                } else {
                    State::Data { left: left - here }
                };
                continue;
            }
            at += 1;
            if self.state == State::LastEnd && byte == b'\n' {
                return Ok(Taken {
                    consumed: at,
                    done: true,
                });
            }
            self.state = self.next(byte)?;
        }
        Ok(Taken {
            consumed: at,
            done: false,
        })
    }

    fn next(&mut self, byte: u8) -> Result<State, ChunkError> {
        let state = match (self.state, byte) {
            (State::Length { digits, length }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                // 15 digits stay below 2^60: sums cannot overflow.
                if digits == 15 {
                    return Err(ChunkError::Malformed);
                }
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                State::Length {
                    digits: digits + 1,
                    length: length * 16 + digit,
                }
            }
            (
                State::Length {
                    digits: 1..,
                    length,
                },
                b'\r',
            ) => State::LengthEnd { length },
            (
                State::Length {
                    digits: 1..,
                    length,
                },
                b';',
            )
            | (State::Blank { length }, b';') => State::Extension { length },
            (
                State::Length {
                    digits: 1..,
                    length,
                }
                | State::Blank { length },
                b' ' | b'\t',
            ) => {
                self.overhead()?;
                State::Blank { length }
            }
            (State::Extension { length }, b'\r') => State::LengthEnd { length },
            (State::Extension { length }, b'\t' | b' '..=b'~' | 0x80..) => {
                self.overhead()?;
                State::Extension { length }
            }
            (State::LengthEnd { length: 0 }, b'\n') => State::Trailer,
            (State::LengthEnd { length }, b'\n') => {
                self.received = self.received.saturating_add(length);
                State::Data { left: length }
            }
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => START,
            (State::Trailer, b'\r') => State::LastEnd,
            (State::TrailerLine, b'\r') => State::TrailerEnd,
            (State::TrailerEnd, b'\n') => State::Trailer,
            (State::TrailerName, b':') | (State::TrailerLine, b'\t' | b' '..=b'~' | 0x80..) => {
                self.overhead()?;
                State::TrailerLine
            }
            (State::Trailer | State::TrailerName, byte) if scan::token(&[byte]) == 1 => {
                self.overhead()?;
                State::TrailerName
            }
            _ => return Err(ChunkError::Malformed),
        };
        Ok(state)
    }

    fn overhead(&mut self) -> Result<(), ChunkError> {
        self.overhead += 1;
        if self.overhead > OVERHEAD_MAX {
            Err(ChunkError::Overhead)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5 ;a=\"b\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";

    #[test]
    fn end_is_found_and_what_follows_is_left() {
        let mut body = BODY.to_vec();
        body.extend_from_slice(b"GET / ");
        let mut chunked = Chunked::default();
        let taken = chunked.take(&body).unwrap();
        assert_eq!(
            taken,
            Taken {
                consumed: BODY.len(),
                done: true
            }
        );
        assert_eq!(chunked.received(), 15);
    }

    #[test]
    fn body_cut_at_each_byte_ends_at_the_same_place() {
        for cut in 0..BODY.len() {
            let mut chunked = Chunked::default();
            assert_eq!(
                chunked.take(&BODY[..cut]),
                Ok(Taken {
                    consumed: cut,
                    done: false
                })
            );
            let rest = BODY.len() - cut;
            assert_eq!(
                chunked.take(&BODY[cut..]),
                Ok(Taken {
                    consumed: rest,
                    done: true
                })
            );
        }
    }

    #[test]
    fn wrong_bodies_are_refused() {
        for text in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-5\r\n",
            b"0x5\r\n",
            b"5\nhello",
            b"5\r\nhello0\r\n",
            b"5\r\nhelloworld",
            b"10000000000000000\r\n",
            b"0\r\n folded: x\r\n",
            b"5;\x01\r\n",
            b"5 GET / HTTP/1.1\r\n",
            b"5 \r\nhello",
            b"5\t5\r\n",
            b"0\r\nno colon\r\n",
            b"0\r\nnothing\r\n",
            b"0\r\n: nameless\r\n",
        ] {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(
                Chunked::default().take(text),
                Err(ChunkError::Malformed),
                "{shown:?}"
            );
        }
        let mut endless = b"1;".to_vec();
        endless.resize(OVERHEAD_MAX * 2, b'x');
        assert_eq!(Chunked::default().take(&endless), Err(ChunkError::Overhead));
    }
}
