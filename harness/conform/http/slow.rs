//! Slow clients.

use std::time::Duration;

use super::exchange::get;
use super::files::{INLINED, KILOBYTE, LARGE};
use crate::case::{Case, Failure, Target};
use crate::client::{Client, ensure_equal};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "unfinished_head_is_408",
        about: "A head that does not end within the server's time is 408 or ends the connection \
                (RFC 9110, 15.5.9).",
        needs: &["408"],
        run: unfinished_head_is_408,
    },
    Case {
        name: "upload_that_stops_is_408",
        about: "A body that began fast and stops is 408 or ends the connection within the server's time \
                (RFC 9110, 15.5.9).",
        needs: &["upload_rate"],
        run: upload_that_stops_is_408,
    },
    Case {
        name: "slow_reader_gets_the_whole_file",
        about: "A client that reads little at a time holds up no other and loses nothing.",
        needs: &[],
        run: slow_reader_gets_the_whole_file,
    },
    Case {
        name: "pausing_reader_gets_the_last_replies",
        about: "A client that pauses before it reads the last replies of a connection gets them whole: \
                the server closes behind them (RFC 9112, 9.6).",
        needs: &[],
        run: pausing_reader_gets_the_last_replies,
    },
];

fn unfinished_head_is_408(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    let request = get(KILOBYTE.path, "");
    client.send(&request[..request.len() - 1])?;
    expect_408(&mut client)
}

fn upload_that_stops_is_408(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.send(&get(KILOBYTE.path, "Content-Length: 900000\r\n"))?;
    // On average since its start this body is fast enough for an hour.
    client.send(&[b'x'; 500_000])?;
    expect_408(&mut client)
}

fn expect_408(client: &mut Client) -> Result<(), Failure> {
    // The patience of the client, 20 s, is what ends the case where no answer comes.
    match client.response(false) {
        Ok(response) => {
            response.expect(&[408])?;
            client.expect_end()
        }
        Err(failure) if failure.because.starts_with("nothing came") => Err(failure),
        Err(_) => Ok(()),
    }
}

fn slow_reader_gets_the_whole_file(target: &Target) -> Result<(), Failure> {
    let mut slow = Client::connect(target)?;
    slow.send(&get(LARGE.path, ""))?;
    let head = slow.head()?;
    let mut other = Client::connect(target)?;
    for _ in 0..50 {
        // The slow one stays far behind what the server could send; the other is served all along.
        slow.more(1000)?;
        other.send(&get(KILOBYTE.path, ""))?;
        ensure_equal(&other.response(false)?.body, &KILOBYTE.bytes())?;
    }
    slow.take(head.length)?;
    ensure_equal(&slow.take(LARGE.length)?, &LARGE.bytes())
}

fn pausing_reader_gets_the_last_replies(target: &Target) -> Result<(), Failure> {
    // What the kernel takes of unread replies differs, and is 2 to 4 MB on loopback. One of the counts
    // ends in replies that the server has made and cannot send yet.
    let mut clients = Vec::new();
    for count in (30..=72).step_by(3) {
        let mut client = Client::connect(target)?;
        let last = get(INLINED.path, "Connection: close\r\n");
        client.send(&[get(INLINED.path, "").repeat(count - 1), last].concat())?;
        clients.push((client, count));
    }
    // More than two of the rounds, a second each, in which servers look at their deadlines.
    std::thread::sleep(Duration::from_millis(2500));
    let expected = INLINED.bytes();
    for (mut client, count) in clients {
        for _ in 0..count {
            ensure_equal(&client.response(false)?.body, &expected)?;
        }
        client.expect_end()?;
    }
    Ok(())
}
