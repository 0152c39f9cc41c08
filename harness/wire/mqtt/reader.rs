//! Reads the parts that packets are made of, in place.

use super::{Refusal, malformed};

/// What of a packet is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Refusal> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return malformed("a packet that is shorter than what it holds");
        };
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        Ok(self.take(1)?[0])
    }

    #[inline]
    pub(super) fn two_bytes(&mut self) -> Result<u16, Refusal> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn four_bytes(&mut self) -> Result<u32, Refusal> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A packet identifier, which is never 0 (MQTT 5.0, 2.2.1).
    #[inline]
    pub(super) fn identifier(&mut self) -> Result<u16, Refusal> {
        match self.two_bytes()? {
            0 => malformed("a packet identifier of 0"),
            identifier => Ok(identifier),
        }
    }

    /// Bytes behind their length.
    #[inline]
    pub(super) fn binary(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.two_bytes()?;
        self.take(usize::from(length))
    }

    /// A string: well-formed UTF-8 without U+0000 (MQTT 5.0, 1.5.4).
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'a str, Refusal> {
        let bytes = self.binary()?;
        let Ok(text) = std::str::from_utf8(bytes) else {
            return malformed("a string that is no UTF-8");
        };
        if memchr::memchr(0, bytes).is_some() {
            return malformed("a string with U+0000");
        }
        Ok(text)
    }

    /// A number of one to four bytes (MQTT 5.0, 1.5.5).
    pub(super) fn variable(&mut self) -> Result<u32, Refusal> {
        let mut value = 0;
        for index in 0..4 {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                if byte == 0 && index > 0 {
                    return malformed("a length in more bytes than it needs");
                }
                return Ok(value);
            }
        }
        malformed("a length of more than four bytes")
    }
}
