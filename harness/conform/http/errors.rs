//! Requests that a server refuses, with the status that says why (RFC 9110, 15.5 and 15.6).

use super::exchange::{ask, get, refused};
use super::files::KILOBYTE;
use crate::case::{Case, Failure, Target, ensure};
use crate::client::Client;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "malformed_request_line_is_400",
        about: "A line that is no request line is refused (RFC 9112, 3).",
        needs: &[],
        run: malformed_request_line_is_400,
    },
    Case {
        name: "missing_or_repeated_host_is_400",
        about: "HTTP/1.1 needs exactly one valid Host (RFC 9112, 3.2).",
        needs: &[],
        run: missing_or_repeated_host_is_400,
    },
    Case {
        name: "method_that_changes_is_405",
        about: "A known method that a file does not allow is 405 (RFC 9110, 15.5.6).",
        needs: &["405"],
        run: method_that_changes_is_405,
    },
    Case {
        name: "answer_of_405_says_what_is_allowed",
        about: "405 has an Allow field (RFC 9110, 10.2.1).",
        needs: &["405", "allow"],
        run: answer_of_405_says_what_is_allowed,
    },
    Case {
        name: "unknown_method_is_refused",
        about: "501, or 405 or 400 (RFC 9110, 9.1); methods are case-sensitive.",
        needs: &["501"],
        run: unknown_method_is_refused,
    },
    Case {
        name: "unknown_coding_is_refused",
        about: "501 or 400 for a transfer coding that is not understood (RFC 9112, 6.1).",
        needs: &[],
        run: unknown_coding_is_refused,
    },
    Case {
        name: "other_major_version_is_505",
        about: "A version that is not supported is 505 (RFC 9110, 15.6.6).",
        needs: &["505"],
        run: other_major_version_is_505,
    },
    Case {
        name: "long_target_is_414",
        about: "A target of 60 KB is 414 (RFC 9110, 15.5.15).",
        needs: &["414"],
        run: long_target_is_414,
    },
    Case {
        name: "large_head_is_431",
        about: "200 fields of 1 KB are 431 (RFC 6585, 5).",
        needs: &["431"],
        run: large_head_is_431,
    },
    Case {
        name: "large_body_is_413",
        about: "A body of 100 MiB for a file is 413 and is not read (RFC 9110, 15.5.14).",
        needs: &["413"],
        run: large_body_is_413,
    },
    Case {
        name: "unknown_expectation_is_417",
        about: "An expectation that cannot be met is 417 (RFC 9110, 15.5.18).",
        needs: &["417"],
        run: unknown_expectation_is_417,
    },
    Case {
        name: "waiting_client_is_told_to_continue",
        about: "`Expect: 100-continue` gets 100 or a final answer (RFC 9110, 10.1.1).",
        needs: &["expect_continue"],
        run: waiting_client_is_told_to_continue,
    },
];

/// Fails unless the request gets 400, or the server closed without an answer.
fn bad(target: &Target, request: &[u8]) -> Result<(), Failure> {
    let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
    let named = |failure: Failure| Failure::new(format!("{shown:?}: {failure}"));
    match refused(target, request).map_err(named)? {
        Some(response) => response.expect(&[400]).map_err(named),
        None => Ok(()),
    }
}

fn malformed_request_line_is_400(target: &Target) -> Result<(), Failure> {
    for line in [
        "NONSENSE\r\n\r\n",
        "GET /a b c HTTP/1.1\r\nHost: a\r\n\r\n",
        "\u{1}\u{2}\r\n\r\n",
    ] {
        bad(target, line.as_bytes())?;
    }
    bad(target, b"GET / HTTX/1.1\r\nHost: a\r\n\r\n")
}

fn missing_or_repeated_host_is_400(target: &Target) -> Result<(), Failure> {
    let line = format!("GET {} HTTP/1.1\r\n", KILOBYTE.path);
    for hosts in ["", "Host: a\r\nHost: b\r\n", "Host: a b\r\n"] {
        bad(target, format!("{line}{hosts}\r\n").as_bytes())?;
    }
    Ok(())
}

fn method(target: &Target, method: &str) -> Result<super::exchange::Response, Failure> {
    let lines = "Host: localhost\r\nContent-Length: 2\r\n\r\nhi";
    ask(
        target,
        format!("{method} {} HTTP/1.1\r\n{lines}", KILOBYTE.path).as_bytes(),
    )
}

fn method_that_changes_is_405(target: &Target) -> Result<(), Failure> {
    ["POST", "PUT", "DELETE"]
        .iter()
        .try_for_each(|name| method(target, name)?.expect(&[405]))
}

fn answer_of_405_says_what_is_allowed(target: &Target) -> Result<(), Failure> {
    let response = method(target, "POST")?;
    let allowed = response.needed("Allow")?;
    ensure(allowed.contains("GET"), || format!("Allow: {allowed}"))
}

fn unknown_method_is_refused(target: &Target) -> Result<(), Failure> {
    ["BREW", "get"]
        .iter()
        .try_for_each(|name| method(target, name)?.expect(&[501, 405, 400]))
}

fn unknown_coding_is_refused(target: &Target) -> Result<(), Failure> {
    let request = get(KILOBYTE.path, "Transfer-Encoding: rot13, chunked\r\n");
    match refused(target, &[&request[..], b"0\r\n\r\n"].concat())? {
        Some(response) => response.expect(&[501, 400]),
        None => Ok(()),
    }
}

fn other_major_version_is_505(target: &Target) -> Result<(), Failure> {
    let request = format!("GET {} HTTP/3.0\r\nHost: localhost\r\n\r\n", KILOBYTE.path);
    ask(target, request.as_bytes())?.expect(&[505])
}

fn long_target_is_414(target: &Target) -> Result<(), Failure> {
    ask(target, &get(&format!("/{}", "x".repeat(60_000)), ""))?.expect(&[414])
}

fn large_head_is_431(target: &Target) -> Result<(), Failure> {
    let lines = format!("X-Filler: {}\r\n", "x".repeat(1000)).repeat(200);
    ask(target, &get(KILOBYTE.path, &lines))?.expect(&[431])
}

fn large_body_is_413(target: &Target) -> Result<(), Failure> {
    ask(target, &get(KILOBYTE.path, "Content-Length: 104857600\r\n"))?.expect(&[413])
}

fn unknown_expectation_is_417(target: &Target) -> Result<(), Failure> {
    ask(target, &get(KILOBYTE.path, "Expect: the-unexpected\r\n"))?.expect(&[417])
}

fn waiting_client_is_told_to_continue(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(&get(
        KILOBYTE.path,
        "Expect: 100-continue\r\nContent-Length: 5\r\n",
    ))?;
    let response = client.response_or_interim(false)?;
    if response.status() != 100 {
        return response.expect(&[200, 405, 413]);
    }
    client.send(b"hello")?;
    client.response(false)?.expect(&[200])
}
