//! The pure functions of the family, for counts of instructions: reading a request, writing and reading the
//! head of an answer.

use std::hint::black_box;

use ringside_contract::CountedFunction;
use ringside_wire::http::request::{Limits, TYPICAL, parse};
use ringside_wire::http::{head, response};

/// In the order of reports.
pub(crate) const FUNCTIONS: &[CountedFunction] = &[
    CountedFunction {
        name: "http/request_short",
        prepare: || read_request(SHORT),
    },
    CountedFunction {
        name: "http/request_typical",
        prepare: || read_request(TYPICAL),
    },
    CountedFunction {
        name: "http/answer_head_written",
        prepare: || {
            let mut out = Vec::with_capacity(4096);
            Box::new(move || write_answer(black_box(&mut out)))
        },
    },
    CountedFunction {
        name: "http/answer_head_read",
        prepare: || {
            let mut answer = Vec::new();
            write_answer(&mut answer);
            Box::new(move || {
                let head = response::parse(black_box(&answer));
                assert!(black_box(head).is_ok_and(|head| head.is_some()));
            })
        },
    },
];

/// What the load generator sends.
const SHORT: &str = "GET /a.bin HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn read_request(text: &'static str) -> Box<dyn FnMut()> {
    let limits = Limits::default();
    Box::new(move || {
        let head = parse(black_box(text.as_bytes()), &limits);
        assert!(black_box(head).is_ok_and(|head| head.is_some()));
    })
}

fn write_answer(out: &mut Vec<u8>) {
    out.clear();
    head::status_line(out, 200);
    head::field(out, "Date", b"Sun, 06 Nov 1994 08:49:37 GMT");
    head::field(out, "Content-Type", b"application/octet-stream");
    head::field_number(out, "Content-Length", 1024);
    head::field(out, "ETag", b"\"5f3759df-400\"");
    head::field(out, "Last-Modified", b"Sat, 05 Nov 1994 08:49:37 GMT");
    head::end(out);
}
