//! `Range` of requests (RFC 9110, 14).

use super::response::decimal;

/// What a `Range` asks of a representation of a known length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// All of it: the field does not parse, has another unit, or asks for several parts, which a
    /// server may answer whole (14.2).
    Whole,
    /// One part.
    Part {
        /// First byte.
        first: u64,
        /// Bytes, at least 1.
        length: u64,
    },
    /// Nothing that is there: 416.
    Unsatisfiable,
}

/// Reads `value` for a representation of `length` bytes.
pub fn parse(value: &[u8], length: u64) -> Range {
    parse_one(value, length).unwrap_or(Range::Whole)
}

fn parse_one(value: &[u8], length: u64) -> Option<Range> {
    let (unit, set) = value.split_at_checked(6)?;
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return None;
    }
    // A comma is no digit, so that a set of several parts does not parse.
    let set = set.trim_ascii();
    let dash = set.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (&set[..dash], &set[dash + 1..]);
    if first.is_empty() {
        return Some(suffix(decimal_or_max(last)?, length));
    }
    let first = decimal_or_max(first)?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        decimal_or_max(last)?
    };
    if last < first {
        return None;
    }
    if first >= length {
        return Some(Range::Unsatisfiable);
    }
    Some(Range::Part {
        first,
        length: last.min(length - 1) - first + 1,
    })
}

/// The last `count` bytes.
fn suffix(count: u64, length: u64) -> Range {
    match (count, length) {
        (0, _) => Range::Unsatisfiable,
        (_, 0) => Range::Whole,
        _ => {
            let count = count.min(length);
            Range::Part {
                first: length - count,
                length: count,
            }
        }
    }
}

/// A number that is too large for 64 bits lies behind every end, which is all that matters here.
fn decimal_or_max(digits: &[u8]) -> Option<u64> {
    let valid = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    valid.then(|| decimal(digits).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_hundred_bytes() {
        let part = |first, length| Range::Part { first, length };
        for (value, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-99", part(0, 100)),
            ("bytes=10-", part(10, 90)),
            ("bytes=99-1000", part(99, 1)),
            ("Bytes=5-6", part(5, 2)),
            ("bytes=-1", part(99, 1)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=0-99999999999999999999999", part(0, 100)),
            ("bytes=100-", Range::Unsatisfiable),
            ("bytes=99999999999999999999999-", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=5-4", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("bytes=", Range::Whole),
            ("lines=1-2", Range::Whole),
            ("", Range::Whole),
        ] {
            assert_eq!(parse(value.as_bytes(), 100), expected, "{value}");
        }
    }

    #[test]
    fn ranges_of_nothing() {
        assert_eq!(parse(b"bytes=0-", 0), Range::Unsatisfiable);
        assert_eq!(parse(b"bytes=-5", 0), Range::Whole);
    }
}
