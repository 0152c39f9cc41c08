//! Connections: keep-alive, pipelining, ends.

use super::exchange::get;
use super::files::{EMPTY, File, KILOBYTE, LARGE, MEDIUM};
use crate::case::{Case, Failure, Target, ensure};
use crate::client::{Client, ensure_equal};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "connection_is_kept",
        about: "HTTP/1.1 connections persist (RFC 9112, 9.3).",
        needs: &[],
        run: connection_is_kept,
    },
    Case {
        name: "close_is_honoured",
        about: "`Connection: close` ends the connection behind the answer (RFC 9112, 9.6).",
        needs: &[],
        run: close_is_honoured,
    },
    Case {
        name: "old_client_is_closed",
        about: "HTTP/1.0 without keep-alive ends behind the answer (RFC 9112, 9.3).",
        needs: &[],
        run: old_client_is_closed,
    },
    Case {
        name: "old_client_may_keep_the_connection",
        about: "HTTP/1.0 with `Connection: keep-alive` may persist (RFC 9112, 9.3).",
        needs: &["keep_alive_1_0"],
        run: old_client_may_keep_the_connection,
    },
    Case {
        name: "pipelined_requests_are_answered_in_order",
        about: "Answers come in the order of the requests (RFC 9112, 9.3.2).",
        needs: &[],
        run: pipelined_requests_are_answered_in_order,
    },
    Case {
        name: "deep_pipeline_of_small_files",
        about: "256 requests in one write are all answered (RFC 9112, 9.3.2).",
        needs: &[],
        run: deep_pipeline_of_small_files,
    },
    Case {
        name: "request_behind_close_is_not_answered",
        about: "Nothing is processed behind `Connection: close` (RFC 9112, 9.6).",
        needs: &[],
        run: request_behind_close_is_not_answered,
    },
    Case {
        name: "half_closed_client_is_answered",
        about: "A client that has closed its side still gets its answers (RFC 9293, 3.6).",
        needs: &["half_close"],
        run: half_closed_client_is_answered,
    },
    Case {
        name: "client_that_says_nothing_may_go",
        about: "A connection without a request ends without an answer or with 408 or 400.",
        needs: &[],
        run: client_that_says_nothing_may_go,
    },
    Case {
        name: "many_connections_are_served",
        about: "200 connections at a time, each kept.",
        needs: &[],
        run: many_connections_are_served,
    },
    Case {
        name: "client_that_leaves_disturbs_no_other",
        about: "Connections given up in the middle of a large answer leave the others as they are.",
        needs: &[],
        run: client_that_leaves_disturbs_no_other,
    },
];

fn round_trip(client: &mut Client, file: File) -> Result<(), Failure> {
    client.send(&get(file.path, ""))?;
    let response = client.response(false)?;
    response.expect(&[200])?;
    ensure_equal(&response.body, &file.bytes())
}

fn connection_is_kept(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for file in [KILOBYTE, MEDIUM, EMPTY, KILOBYTE] {
        round_trip(&mut client, file)?;
    }
    Ok(())
}

fn close_is_honoured(target: &Target) -> Result<(), Failure> {
    for file in [KILOBYTE, LARGE] {
        let mut client = Client::connect(target)?;
        client.send(&get(file.path, "Connection: close\r\n"))?;
        let response = client.response(false)?;
        ensure_equal(&response.body, &file.bytes())?;
        ensure(!response.head.keep_alive, || {
            "the answer does not say close".to_owned()
        })?;
        client.expect_end()?;
    }
    Ok(())
}

fn old_client_is_closed(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(format!("GET {} HTTP/1.0\r\n\r\n", KILOBYTE.path).as_bytes())?;
    let response = client.response(false)?;
    response.expect(&[200])?;
    ensure_equal(&response.body, &KILOBYTE.bytes())?;
    client.expect_end()
}

fn old_client_may_keep_the_connection(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for _ in 0..2 {
        let lines = "Connection: keep-alive\r\n\r\n";
        client.send(format!("GET {} HTTP/1.0\r\n{lines}", KILOBYTE.path).as_bytes())?;
        let response = client.response(false)?;
        response.expect(&[200])?;
        let connection = response.needed("Connection")?;
        ensure(connection.eq_ignore_ascii_case("keep-alive"), || {
            format!("expected Connection: keep-alive, got {connection}")
        })?;
    }
    Ok(())
}

fn pipelined_requests_are_answered_in_order(target: &Target) -> Result<(), Failure> {
    let files = [
        KILOBYTE, MEDIUM, EMPTY, KILOBYTE, LARGE, EMPTY, KILOBYTE, MEDIUM,
    ];
    let requests: Vec<u8> = files.iter().flat_map(|file| get(file.path, "")).collect();
    let mut client = Client::connect(target)?;
    client.send(&requests)?;
    for file in files {
        let response = client.response(false)?;
        response.expect(&[200])?;
        ensure_equal(&response.body, &file.bytes())?;
    }
    Ok(())
}

fn deep_pipeline_of_small_files(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(&get(KILOBYTE.path, "").repeat(256))?;
    for _ in 0..256 {
        ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
    }
    Ok(())
}

fn request_behind_close_is_not_answered(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(
        &[
            get(KILOBYTE.path, "Connection: close\r\n"),
            get(EMPTY.path, ""),
        ]
        .concat(),
    )?;
    ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
    client.expect_end()
}

fn half_closed_client_is_answered(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(&[get(KILOBYTE.path, ""), get(LARGE.path, "")].concat())?;
    client.finish()?;
    ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
    ensure_equal(&client.response(false)?.body, &LARGE.bytes())?;
    client.expect_end()
}

fn client_that_says_nothing_may_go(target: &Target) -> Result<(), Failure> {
    for beginning in [&b""[..], b"GET /conf"] {
        let mut client = Client::connect(target)?;
        client.send(beginning)?;
        client.finish()?;
        if let Ok(response) = client.response(false) {
            response.expect(&[400, 408])?;
        }
    }
    round_trip(&mut Client::connect(target)?, KILOBYTE)
}

fn many_connections_are_served(target: &Target) -> Result<(), Failure> {
    let connect = |_| Client::connect(target);
    let mut clients = (0..200).map(connect).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..2 {
        for client in &mut clients {
            client.send(&get(KILOBYTE.path, ""))?;
        }
        for client in clients.iter_mut().rev() {
            ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
        }
    }
    Ok(())
}

fn client_that_leaves_disturbs_no_other(target: &Target) -> Result<(), Failure> {
    let mut steady = Client::connect(target)?;
    round_trip(&mut steady, KILOBYTE)?;
    for _ in 0..20 {
        let mut broken = Client::connect(target)?;
        broken.send(&get(LARGE.path, ""))?;
        // Unread bytes make the kernel answer the close with a reset.
        broken.more(1)?;
        drop(broken);
    }
    round_trip(&mut steady, KILOBYTE)
}
