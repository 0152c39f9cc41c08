//! Where messages end. What two programs on the way could read in two ways is how requests are
//! smuggled (RFC 9112, 11.2): it must be refused, or the connection must end behind the answer.

use super::exchange::{get, refused};
use super::files::{EMPTY, KILOBYTE};
use crate::case::{Case, Failure, Target, ensure};
use crate::client::{Client, ensure_equal};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "body_is_not_taken_for_a_request",
        about: "The bytes of a body, by length or in chunks, are no request (RFC 9112, 6.3).",
        needs: &[],
        run: body_is_not_taken_for_a_request,
    },
    Case {
        name: "length_and_chunks_together_are_refused",
        about: "400, or the chunks count and the connection ends (RFC 9112, 6.1).",
        needs: &[],
        run: length_and_chunks_together_are_refused,
    },
    Case {
        name: "ambiguous_length_is_refused",
        about: "Content-Length that differs, or is no number, is 400 (RFC 9112, 6.3).",
        needs: &[],
        run: ambiguous_length_is_refused,
    },
    Case {
        name: "chunks_that_are_not_last_are_refused",
        about: "chunked must be the one last coding (RFC 9112, 6.3).",
        needs: &[],
        run: chunks_that_are_not_last_are_refused,
    },
    Case {
        name: "malformed_field_is_refused",
        about: "White space before the colon, NUL and bare CR are 400 (RFC 9112, 5.1; RFC 9110, 5.5).",
        needs: &[],
        run: malformed_field_is_refused,
    },
    Case {
        name: "folded_field_is_refused",
        about: "A folded line is 400 or is unfolded (RFC 9112, 5.2).",
        needs: &["folding_refused"],
        run: folded_field_is_refused,
    },
    Case {
        name: "line_that_ends_in_a_bare_lf_is_refused",
        about: "A line that ends in LF alone is 400; to accept it is the other choice (RFC 9112, 2.2).",
        needs: &["bare_lf_refused"],
        run: line_that_ends_in_a_bare_lf_is_refused,
    },
    Case {
        name: "length_beside_chunks_is_400",
        about: "Content-Length beside Transfer-Encoding is 400; to go by the chunks and close is the \
                other choice (RFC 9112, 6.1).",
        needs: &["length_with_chunks_refused"],
        run: length_beside_chunks_is_400,
    },
    Case {
        name: "malformed_chunk_ends_the_connection",
        about: "A chunk that breaks the grammar is 400 or ends the connection (RFC 9112, 7.1).",
        needs: &[],
        run: malformed_chunk_ends_the_connection,
    },
];

/// A request that must not be answered on its own.
fn hidden() -> Vec<u8> {
    b"GET /conform/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()
}

fn body_is_not_taken_for_a_request(target: &Target) -> Result<(), Failure> {
    let hidden = hidden();
    let length = format!("Content-Length: {}\r\n", hidden.len());
    let chunks = [
        format!("{:x}\r\n", hidden.len()).as_bytes(),
        &hidden,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    for (lines, body) in [
        (&*length, &hidden),
        ("Transfer-Encoding: chunked\r\n", &chunks),
    ] {
        let mut client = Client::connect(target)?;
        client.send(&[&get(KILOBYTE.path, lines)[..], body].concat())?;
        let first = client.response(false)?;
        ensure_equal(&first.body, &KILOBYTE.bytes())?;
        // A server may give up a connection rather than read a body that it has no use for.
        if first.head.keep_alive {
            client.send(&get(EMPTY.path, ""))?;
            client.response(false)?.expect(&[200])?;
        }
    }
    Ok(())
}

fn length_and_chunks_together_are_refused(target: &Target) -> Result<(), Failure> {
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ] {
        let mut client = Client::connect(target)?;
        let request = [&get(KILOBYTE.path, lines)[..], b"0\r\n\r\n", &hidden()].concat();
        client.send_unwanted(&request);
        let Ok(response) = client.response(false) else {
            continue;
        };
        response.expect(&[400, 200])?;
        if response.status() == 400 {
            client.expect_end()?;
        } else {
            ensure_only_the_chunks_count(&mut client)?;
        }
    }
    Ok(())
}

/// Behind the chunks the next request begins. A server that goes by the length would have lost its
/// place and say 400.
fn ensure_only_the_chunks_count(client: &mut Client) -> Result<(), Failure> {
    client
        .response(false)
        .map_or(Ok(()), |second| second.expect(&[404]))
}

/// Fails unless each request is refused with one of `statuses`, or without an answer.
fn all_refused(target: &Target, lines: &[&str], statuses: &[u16]) -> Result<(), Failure> {
    for lines in lines {
        let named = |failure: Failure| Failure::new(format!("{lines:?}: {failure}"));
        let request = [get(KILOBYTE.path, lines), hidden()].concat();
        if let Some(response) = refused(target, &request).map_err(named)? {
            response.expect(statuses).map_err(named)?;
        }
    }
    Ok(())
}

fn ambiguous_length_is_refused(target: &Target) -> Result<(), Failure> {
    let lines = [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
    ];
    all_refused(target, &lines, &[400])
}

fn chunks_that_are_not_last_are_refused(target: &Target) -> Result<(), Failure> {
    let lines = [
        "Transfer-Encoding: chunked, rot13\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
    ];
    all_refused(target, &lines, &[400, 501])
}

fn malformed_field_is_refused(target: &Target) -> Result<(), Failure> {
    let lines = [
        "Content-Length : 5\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X: a\u{0}b\r\n",
        "X: a\rContent-Length: 5\r\n",
    ];
    all_refused(target, &lines, &[400])
}

fn folded_field_is_refused(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(&get(KILOBYTE.path, "X: a\r\n b\r\n"))?;
    client.response(false)?.expect(&[400])
}

fn line_that_ends_in_a_bare_lf_is_refused(target: &Target) -> Result<(), Failure> {
    let path = KILOBYTE.path;
    for request in [
        format!("GET {path} HTTP/1.1\nHost: localhost\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: localhost\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\n"),
    ] {
        let named = |failure: Failure| Failure::new(format!("{request:?}: {failure}"));
        let mut client = Client::connect(target)?;
        client.send_unwanted(&[request.as_bytes(), &hidden()].concat());
        let answer = client.response(false).map_err(named)?;
        answer.expect(&[400]).map_err(named)?;
        client.expect_end().map_err(named)?;
    }
    Ok(())
}

fn length_beside_chunks_is_400(target: &Target) -> Result<(), Failure> {
    let lines = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
    ];
    for lines in lines {
        let mut client = Client::connect(target)?;
        client.send_unwanted(&[&get(KILOBYTE.path, lines)[..], b"0\r\n\r\n", &hidden()].concat());
        client.response(false)?.expect(&[400])?;
        client.expect_end()?;
    }
    Ok(())
}

fn malformed_chunk_ends_the_connection(target: &Target) -> Result<(), Failure> {
    for body in [
        "zz\r\n",
        "5\r\nhelloworld\r\n0\r\n\r\n",
        "10000000000000000000\r\n",
    ] {
        let mut client = Client::connect(target)?;
        let request = get(KILOBYTE.path, "Transfer-Encoding: chunked\r\n");
        client.send_unwanted(&[&request[..], body.as_bytes(), &hidden()].concat());
        let mut answers = 0;
        while let Ok(response) = client.response(false) {
            response.expect(&[200, 400, 413])?;
            answers += 1;
            ensure(answers <= 2, || format!("{body:?} got {answers} answers"))?;
        }
    }
    Ok(())
}
