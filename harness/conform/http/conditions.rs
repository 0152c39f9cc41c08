//! Conditional requests (RFC 9110, 13).

use super::exchange::{Response, ask, get};
use super::files::KILOBYTE;
use crate::case::{Case, Failure, Target, ensure};
use crate::client::ensure_equal;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "known_tag_is_not_sent_again",
        about: "If-None-Match with the current tag is 304 without a body (RFC 9110, 13.1.2).",
        needs: &["etag"],
        run: known_tag_is_not_sent_again,
    },
    Case {
        name: "other_tag_is_sent",
        about: "If-None-Match with another tag is 200, whatever If-Modified-Since says \
                (RFC 9110, 13.1.3).",
        needs: &["etag", "last_modified"],
        run: other_tag_is_sent,
    },
    Case {
        name: "unmodified_file_is_not_sent_again",
        about: "If-Modified-Since with the time of the file is 304 (RFC 9110, 13.1.3).",
        needs: &["last_modified"],
        run: unmodified_file_is_not_sent_again,
    },
    Case {
        name: "failed_precondition_is_412",
        about: "If-Match with another tag is 412 (RFC 9110, 13.1.1).",
        needs: &["etag"],
        run: failed_precondition_is_412,
    },
    Case {
        name: "range_of_a_changed_file_gives_all_of_it",
        about: "If-Range that does not match gives 200, one that matches 206 (RFC 9110, 13.1.5).",
        needs: &["etag", "ranges"],
        run: range_of_a_changed_file_gives_all_of_it,
    },
];

const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn with(target: &Target, lines: &str) -> Result<Response, Failure> {
    ask(target, &get(KILOBYTE.path, lines))
}

fn validator(target: &Target, name: &str) -> Result<String, Failure> {
    with(target, "")?.needed(name).map(str::to_owned)
}

fn known_tag_is_not_sent_again(target: &Target) -> Result<(), Failure> {
    let tag = validator(target, "ETag")?;
    for list in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned()] {
        let response = with(target, &format!("If-None-Match: {list}\r\n"))?;
        response.expect(&[304])?;
        let again = response.needed("ETag")?;
        ensure(again == tag, || {
            format!("the tag of 304 is {again}, that of 200 {tag}")
        })?;
    }
    Ok(())
}

fn other_tag_is_sent(target: &Target) -> Result<(), Failure> {
    let date = validator(target, "Last-Modified")?;
    let response = with(
        target,
        &format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"),
    )?;
    response.expect(&[200])?;
    ensure_equal(&response.body, &KILOBYTE.bytes())
}

fn unmodified_file_is_not_sent_again(target: &Target) -> Result<(), Failure> {
    let date = validator(target, "Last-Modified")?;
    with(target, &format!("If-Modified-Since: {date}\r\n"))?.expect(&[304])?;
    with(target, &format!("If-Modified-Since: {OLD}\r\n"))?.expect(&[200])?;
    with(target, "If-Modified-Since: yesterday\r\n")?.expect(&[200])
}

fn failed_precondition_is_412(target: &Target) -> Result<(), Failure> {
    let tag = validator(target, "ETag")?;
    with(target, "If-Match: \"x\"\r\n")?.expect(&[412])?;
    if !tag.starts_with("W/") {
        with(target, &format!("If-Match: {tag}\r\n"))?.expect(&[200])?;
    }
    Ok(())
}

fn range_of_a_changed_file_gives_all_of_it(target: &Target) -> Result<(), Failure> {
    let tag = validator(target, "ETag")?;
    let part = |value: &str| {
        with(
            target,
            &format!("Range: bytes=0-9\r\nIf-Range: {value}\r\n"),
        )
    };
    part("\"x\"")?.expect(&[200])?;
    part(OLD)?.expect(&[200])?;
    if !tag.starts_with("W/") {
        part(&tag)?.expect(&[206])?;
    }
    Ok(())
}
