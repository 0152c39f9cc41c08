//! Byte ranges (RFC 9110, 14).

use super::exchange::{Response, ask, get};
use super::files::{File, KILOBYTE, LARGE};
use crate::case::{Case, Failure, Target, ensure};
use crate::client::ensure_equal;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "range_gives_the_part",
        about: "206 with Content-Range and the part alone (RFC 9110, 15.3.7).",
        needs: &["ranges"],
        run: range_gives_the_part,
    },
    Case {
        name: "range_behind_the_end_is_416",
        about: "416 with the length in Content-Range (RFC 9110, 15.5.17).",
        needs: &["ranges"],
        run: range_behind_the_end_is_416,
    },
    Case {
        name: "range_that_does_not_parse_is_ignored",
        about: "An unknown unit or a malformed range is no range (RFC 9110, 14.2).",
        needs: &[],
        run: range_that_does_not_parse_is_ignored,
    },
    Case {
        name: "several_ranges_are_answered_whole_or_in_parts",
        about: "200, or 206 with multipart/byteranges (RFC 9110, 14.2, 15.3.7.2).",
        needs: &[],
        run: several_ranges_are_answered_whole_or_in_parts,
    },
    Case {
        name: "range_of_head_is_ignored",
        about: "Range is defined for GET alone (RFC 9110, 14.2).",
        needs: &[],
        run: range_of_head_is_ignored,
    },
];

fn range(target: &Target, file: File, value: &str) -> Result<Response, Failure> {
    ask(target, &get(file.path, &format!("Range: {value}\r\n")))
}

fn range_gives_the_part(target: &Target) -> Result<(), Failure> {
    for (file, value, first, last) in [
        (KILOBYTE, "bytes=0-0", 0, 0),
        (KILOBYTE, "bytes=100-199", 100, 199),
        (KILOBYTE, "bytes=1000-", 1000, 1023),
        (KILOBYTE, "bytes=-24", 1000, 1023),
        (KILOBYTE, "bytes=1000-5000", 1000, 1023),
        (LARGE, "bytes=1-5000000", 1, 5_000_000),
        (
            LARGE,
            "bytes=-3000000",
            (8 << 20) - 3_000_000,
            (8 << 20) - 1,
        ),
    ] {
        let response = range(target, file, value)?;
        response.expect(&[206])?;
        ensure_equal(&response.body, &file.bytes()[first..=last])?;
        let expected = format!("bytes {first}-{last}/{}", file.length);
        let got = response.needed("Content-Range")?;
        ensure(got == expected, || {
            format!("{value}: expected `{expected}`, got `{got}`")
        })?;
    }
    Ok(())
}

fn range_behind_the_end_is_416(target: &Target) -> Result<(), Failure> {
    for value in ["bytes=1024-", "bytes=5000-6000"] {
        let response = range(target, KILOBYTE, value)?;
        response.expect(&[416])?;
        let got = response.needed("Content-Range")?;
        ensure(got == "bytes */1024", || {
            format!("expected `bytes */1024`, got `{got}`")
        })?;
    }
    Ok(())
}

fn range_that_does_not_parse_is_ignored(target: &Target) -> Result<(), Failure> {
    for value in ["lines=1-2", "bytes=b-c", "bytes=5-4"] {
        // RFC 9110, 14.2 lets a server refuse what is malformed as well.
        let response = range(target, KILOBYTE, value)?;
        response.expect(&[200, 400, 416])?;
        if response.status() == 200 {
            ensure_equal(&response.body, &KILOBYTE.bytes())?;
        }
    }
    Ok(())
}

fn several_ranges_are_answered_whole_or_in_parts(target: &Target) -> Result<(), Failure> {
    let response = range(target, KILOBYTE, "bytes=0-9,100-109")?;
    response.expect(&[200, 206])?;
    if response.status() == 200 {
        return ensure_equal(&response.body, &KILOBYTE.bytes());
    }
    let media_type = response.needed("Content-Type")?;
    ensure(media_type.starts_with("multipart/byteranges"), || {
        format!("several parts came as {media_type}")
    })
}

fn range_of_head_is_ignored(target: &Target) -> Result<(), Failure> {
    let lines = "Host: localhost\r\nRange: bytes=0-9\r\n\r\n";
    let request = format!("HEAD {} HTTP/1.1\r\n{lines}", KILOBYTE.path);
    // Widely used servers answer 206 all the same; without a body no harm is done.
    ask(target, request.as_bytes())?.expect(&[200, 206])
}
