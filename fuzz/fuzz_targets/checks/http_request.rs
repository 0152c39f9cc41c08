//! Whatever bytes come, the parser of requests decides the same for every cut, and what it accepts
//! can be answered: path, ranges, tags and chunks are read without a panic.

use ringside_wire::http::chunked::Chunked;
use ringside_wire::http::request::{Framing, Limits, Request, parse};
use ringside_wire::http::{condition, path, range};

/// Small, so that the fuzzer reaches them.
const LIMITS: Limits = Limits {
    head_max: 1024,
    target_max: 256,
    fields_max: 16,
};

/// Panics where it does not hold.
pub(crate) fn check(input: &[u8]) {
    let whole = parse(input, &LIMITS);
    // Every cut of a short input, a few of a long one.
    for cut in (0..input.len()).step_by(1 + input.len() / 64) {
        match parse(&input[..cut], &LIMITS) {
            Ok(None) => {}
            decided => assert_eq!(decided, whole, "cut at {cut}"),
        }
    }
    if let Ok(Some(request)) = whole {
        answer(&request, &input[request.length..]);
    }
}

fn answer(request: &Request<'_>, rest: &[u8]) {
    if let Ok(decoded) = path::of_target(request.target).and_then(path::decode) {
        assert!(!decoded.contains(&0) && !decoded.starts_with(b"/"));
        assert!(
            decoded
                .split(|&byte| byte == b'/')
                .all(|segment| segment != b"..")
        );
    }
    if let Some(value) = request.conditions.range
        && let range::Range::Part { first, length } = range::parse(value, 1000)
    {
        assert!(length >= 1 && first + length <= 1000);
    }
    for list in [
        request.conditions.if_match,
        request.conditions.if_none_match,
    ]
    .into_iter()
    .flatten()
    {
        let strong = condition::any_strong(list, b"\"a\"");
        assert!(!strong || condition::any_weak(list, b"\"a\""));
    }
    if request.framing == Framing::Chunked {
        chunks(rest);
    }
}

/// A body in one piece and byte by byte ends at the same place.
fn chunks(body: &[u8]) {
    let whole = Chunked::default().take(body);
    let mut chunked = Chunked::default();
    let mut consumed = 0;
    for byte in body.chunks(1) {
        match chunked.take(byte) {
            Ok(taken) => {
                consumed += taken.consumed;
                if taken.done {
                    assert_eq!(
                        whole.map(|taken| (taken.consumed, taken.done)),
                        Ok((consumed, true))
                    );
                    return;
                }
            }
            Err(error) => {
                assert_eq!(whole, Err(error));
                return;
            }
        }
    }
    assert_eq!(
        whole.map(|taken| (taken.consumed, taken.done)),
        Ok((consumed, false))
    );
}
