//! Single requests: what they get, and in which forms they may come.

use super::exchange::{ask, get};
use super::files::{EMPTY, KILOBYTE, LARGE, MEDIUM, PAGE, SPACE};
use crate::case::{Case, Failure, Target, ensure};
use crate::client::{Client, ensure_equal};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "get_gives_the_file",
        about: "200 with the bytes of the file, its length and a date (RFC 9110, 9.3.1, 6.6.1).",
        needs: &[],
        run: get_gives_the_file,
    },
    Case {
        name: "head_has_no_body",
        about: "HEAD gets the fields of GET without a body (RFC 9110, 9.3.2).",
        needs: &[],
        run: head_has_no_body,
    },
    Case {
        name: "empty_file_has_length_zero",
        about: "A file of 0 bytes is 200 with length 0 (RFC 9110, 8.6).",
        needs: &[],
        run: empty_file_has_length_zero,
    },
    Case {
        name: "large_file_arrives_whole",
        about: "8 MiB arrive unchanged, twice over one connection (RFC 9110, 9.3.1).",
        needs: &[],
        run: large_file_arrives_whole,
    },
    Case {
        name: "missing_file_is_404_and_the_connection_goes_on",
        about: "404, then a further request is answered (RFC 9110, 15.5.5).",
        needs: &[],
        run: missing_file_is_404_and_the_connection_goes_on,
    },
    Case {
        name: "absolute_target_names_the_same_file",
        about: "A server accepts the absolute form (RFC 9112, 3.2.2).",
        needs: &[],
        run: absolute_target_names_the_same_file,
    },
    Case {
        name: "path_is_decoded_once_and_the_query_is_not_part_of_it",
        about: "Percent-encoded names are the same as plain ones (RFC 9110, 4.2.3).",
        needs: &[],
        run: path_is_decoded_once_and_the_query_is_not_part_of_it,
    },
    Case {
        name: "directory_gives_its_index",
        about: "A path that ends in a slash gives index.html.",
        needs: &["index"],
        run: directory_gives_its_index,
    },
    Case {
        name: "head_may_be_split_at_every_byte",
        about: "TCP has no messages: a head comes in any pieces (RFC 9112, 2.2).",
        needs: &[],
        run: head_may_be_split_at_every_byte,
    },
    Case {
        name: "empty_line_before_a_request_is_ignored",
        about: "At least one empty line in front should be ignored (RFC 9112, 2.2).",
        needs: &["leading_empty_line"],
        run: empty_line_before_a_request_is_ignored,
    },
];

fn get_gives_the_file(target: &Target) -> Result<(), Failure> {
    for file in [KILOBYTE, MEDIUM] {
        let response = ask(target, &get(file.path, ""))?;
        response.expect(&[200])?;
        ensure_equal(&response.body, &file.bytes())?;
        response.needed("Content-Length")?;
        response.needed("Date")?;
    }
    Ok(())
}

fn head_has_no_body(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for file in [KILOBYTE, LARGE] {
        let head = format!("HEAD {} HTTP/1.1\r\nHost: localhost\r\n\r\n", file.path);
        client.send(head.as_bytes())?;
        let response = client.response(true)?;
        response.expect(&[200])?;
        let length = response.head.content_length;
        ensure(
            length.is_none_or(|length| length == file.length as u64),
            || format!("HEAD says {length:?} for a file of {} bytes", file.length),
        )?;
    }
    client.send(&get(KILOBYTE.path, ""))?;
    ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())
}

fn empty_file_has_length_zero(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for _ in 0..2 {
        client.send(&get(EMPTY.path, ""))?;
        let response = client.response(false)?;
        response.expect(&[200])?;
        ensure_equal(&response.body, b"")?;
    }
    Ok(())
}

fn large_file_arrives_whole(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for _ in 0..2 {
        client.send(&get(LARGE.path, ""))?;
        let response = client.response(false)?;
        response.expect(&[200])?;
        ensure_equal(&response.body, &LARGE.bytes())?;
    }
    Ok(())
}

fn missing_file_is_404_and_the_connection_goes_on(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(&get("/conform/none", ""))?;
    client.response(false)?.expect(&[404])?;
    client.send(&get(KILOBYTE.path, ""))?;
    client.response(false)?.expect(&[200])
}

fn absolute_target_names_the_same_file(target: &Target) -> Result<(), Failure> {
    let path = format!("http://localhost{}", KILOBYTE.path);
    let response = ask(target, &get(&path, ""))?;
    response.expect(&[200])?;
    ensure_equal(&response.body, &KILOBYTE.bytes())
}

fn path_is_decoded_once_and_the_query_is_not_part_of_it(target: &Target) -> Result<(), Failure> {
    for path in [
        "/conform/with%20space.txt",
        "/%63onform/with%20space%2etxt?a=b&c=/../d",
    ] {
        let response = ask(target, &get(path, ""))?;
        response.expect(&[200])?;
        ensure_equal(&response.body, &SPACE.bytes())?;
    }
    ask(target, &get("/conform/with%2520space.txt", ""))?.expect(&[404])
}

fn directory_gives_its_index(target: &Target) -> Result<(), Failure> {
    let response = ask(target, &get("/conform/directory/", ""))?;
    response.expect(&[200])?;
    ensure_equal(&response.body, &PAGE.bytes())?;
    let media_type = response.needed("Content-Type")?;
    ensure(media_type.starts_with("text/html"), || {
        format!("index.html is {media_type}")
    })
}

fn head_may_be_split_at_every_byte(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send_bytewise(&get(KILOBYTE.path, "Accept: */*\r\n"))?;
    ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
    let request = get(KILOBYTE.path, "");
    for cut in 1..request.len() {
        client.send(&request[..cut])?;
        client.send(&request[cut..])?;
        ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
    }
    Ok(())
}

fn empty_line_before_a_request_is_ignored(target: &Target) -> Result<(), Failure> {
    let request = [&b"\r\n"[..], &get(KILOBYTE.path, "")].concat();
    ask(target, &request)?.expect(&[200])
}
