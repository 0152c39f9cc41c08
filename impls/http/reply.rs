//! Replies: which one a request for a document gets (RFC 9110, 13 and 14), and their heads.

use std::time::{Duration, SystemTime};

use ringside_wire::http::request::{Conditions, Method, Request};
use ringside_wire::http::{condition, head, range};

use crate::files::Document;
use crate::worker::Clock;

/// The reply to a request for a document that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 200 with everything.
    Whole,
    /// 206 with one part.
    Part {
        /// First byte.
        first: u64,
        /// Bytes, at least 1.
        length: u64,
    },
    /// 304.
    NotModified,
    /// 412.
    Failed,
    /// 416.
    Unsatisfiable,
}

/// Decides by the conditions of a GET or HEAD, in the order of RFC 9110, 13.2.2.
pub(crate) fn decide(request: &Request<'_>, document: &Document, clock: &Clock) -> Answer {
    let conditions = &request.conditions;
    let etag = document.etag.as_bytes();
    if let Some(list) = conditions.if_match {
        if !condition::any_strong(list, etag) {
            return Answer::Failed;
        }
    } else if date(conditions.if_unmodified_since).is_some_and(|date| document.modified > date) {
        return Answer::Failed;
    }
    if let Some(list) = conditions.if_none_match {
        if condition::any_weak(list, etag) {
            return Answer::NotModified;
        }
    } else if date(conditions.if_modified_since).is_some_and(|date| document.modified <= date) {
        return Answer::NotModified;
    }
    match conditions.range {
        Some(range) if request.method == Method::Get && may_range(conditions, document, clock) => {
            match range::parse(range, document.length) {
                range::Range::Whole => Answer::Whole,
                range::Range::Part { first, length } => Answer::Part { first, length },
                range::Range::Unsatisfiable => Answer::Unsatisfiable,
            }
        }
        _ => Answer::Whole,
    }
}

/// Whether the validator of `If-Range`, if there is one, is that of the document.
fn may_range(conditions: &Conditions<'_>, document: &Document, clock: &Clock) -> bool {
    let Some(validator) = conditions.if_range else {
        return true;
    };
    if validator.starts_with(b"\"") {
        return validator == document.etag.as_bytes();
    }
    // A date is a strong validator only when the file rested since: two changes within one second
    // share it (RFC 9110, 8.8.2.2).
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(clock.second);
    let rested = wall
        .duration_since(document.modified)
        .is_ok_and(|rest| rest.as_secs() >= 1);
    rested && date(Some(validator)) == Some(document.modified)
}

/// An HTTP date; anything else counts as absent.
fn date(value: Option<&[u8]>) -> Option<SystemTime> {
    let text = std::str::from_utf8(value?).ok()?;
    httpdate::parse_http_date(text).ok()
}

/// Appends the head of a reply of 200; gives the place of its date in `out`.
pub(crate) fn whole(
    out: &mut Vec<u8>,
    document: &Document,
    clock: &Clock,
    keep_alive: bool,
) -> usize {
    let date_at = begin(out, 200, clock);
    describe(out, document, document.length, keep_alive);
    head::end(out);
    date_at
}

/// Appends the head of a reply of 206.
pub(crate) fn part(
    out: &mut Vec<u8>,
    document: &Document,
    (first, length): (u64, u64),
    clock: &Clock,
    keep_alive: bool,
) {
    begin(out, 206, clock);
    out.extend_from_slice(b"Content-Range: bytes ");
    head::number(out, first);
    out.push(b'-');
    head::number(out, first + length - 1);
    out.push(b'/');
    head::number(out, document.length);
    out.extend_from_slice(b"\r\n");
    describe(out, document, length, keep_alive);
    head::end(out);
}

/// Appends a reply of 304.
pub(crate) fn not_modified(
    out: &mut Vec<u8>,
    document: &Document,
    clock: &Clock,
    keep_alive: bool,
) {
    begin(out, 304, clock);
    head::field(out, "Last-Modified", document.last_modified.as_bytes());
    head::field(out, "ETag", document.etag.as_bytes());
    connection(out, keep_alive);
    head::end(out);
}

/// What an error says besides its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The status.
    pub(crate) status: u16,
    /// Length of the document, for 416.
    pub(crate) length: Option<u64>,
    /// Whether a body may follow: not to HEAD.
    pub(crate) body: bool,
    /// Whether the connection goes on.
    pub(crate) keep_alive: bool,
}

/// Appends a reply that gives no document.
pub(crate) fn failure(out: &mut Vec<u8>, failure: Failure, clock: &Clock) {
    let Failure {
        status,
        length,
        body,
        keep_alive,
    } = failure;
    let reason = head::reason(status);
    begin(out, status, clock);
    head::field(out, "Content-Type", b"text/plain; charset=utf-8");
    head::field_number(out, "Content-Length", 4 + reason.len() as u64 + 1);
    if status == 405 {
        head::field(out, "Allow", b"GET, HEAD");
    }
    if let Some(length) = length {
        head::field(out, "Content-Range", format!("bytes */{length}").as_bytes());
    }
    connection(out, keep_alive);
    head::end(out);
    if body {
        head::number(out, u64::from(status));
        out.push(b' ');
        out.extend_from_slice(reason.as_bytes());
        out.push(b'\n');
    }
}

/// Status line, server and date.
fn begin(out: &mut Vec<u8>, status: u16, clock: &Clock) -> usize {
    head::status_line(out, status);
    out.extend_from_slice(b"Server: ringside\r\nDate: ");
    let date_at = out.len();
    out.extend_from_slice(&clock.date);
    out.extend_from_slice(b"\r\n");
    date_at
}

/// The fields that nginx sends with a file, so that the work is the same.
fn describe(out: &mut Vec<u8>, document: &Document, length: u64, keep_alive: bool) {
    head::field(out, "Content-Type", document.media_type.as_bytes());
    head::field_number(out, "Content-Length", length);
    head::field(out, "Last-Modified", document.last_modified.as_bytes());
    connection(out, keep_alive);
    head::field(out, "ETag", document.etag.as_bytes());
    head::field(out, "Accept-Ranges", b"bytes");
}

fn connection(out: &mut Vec<u8>, keep_alive: bool) {
    let value: &[u8] = if keep_alive { b"keep-alive" } else { b"close" };
    head::field(out, "Connection", value);
}
