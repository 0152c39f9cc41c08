//! Echo: every byte comes back, in order, and nothing else (RFC 862).

use std::io::Write;

use crate::case::{Case, Failure, Target};
use crate::client::{Client, ensure_equal, pattern_bytes};

/// Every case of the family.
pub fn cases() -> &'static [Case] {
    CASES
}

const CASES: &[Case] = &[
    Case {
        name: "small_message_comes_back",
        about: "64 bytes come back, many times over one connection (RFC 862).",
        needs: &[],
        run: small_message_comes_back,
    },
    Case {
        name: "single_bytes_come_back_at_once",
        about: "A byte alone is answered without waiting for more (RFC 862).",
        needs: &[],
        run: single_bytes_come_back_at_once,
    },
    Case {
        name: "pipelined_messages_come_back_in_order",
        about: "Messages that are sent together come back in order (RFC 862).",
        needs: &[],
        run: pipelined_messages_come_back_in_order,
    },
    Case {
        name: "large_message_comes_back_whole",
        about: "4 MiB that fill every buffer on the way come back unchanged (RFC 862).",
        needs: &[],
        run: large_message_comes_back_whole,
    },
    Case {
        name: "half_closed_connection_gets_its_rest",
        about: "What was sent before the end of the stream comes back, then the stream ends \
                (RFC 9293, 3.6).",
        needs: &[],
        run: half_closed_connection_gets_its_rest,
    },
    Case {
        name: "silent_connection_ends_quietly",
        about: "A connection that ends without a byte gets none (RFC 862).",
        needs: &[],
        run: silent_connection_ends_quietly,
    },
    Case {
        name: "many_connections_keep_apart",
        about: "200 connections get their own bytes back (RFC 862).",
        needs: &[],
        run: many_connections_keep_apart,
    },
    Case {
        name: "reset_connection_disturbs_no_other",
        about: "A client that resets its connection leaves the others as they are (RFC 9293, 3.10).",
        needs: &[],
        run: reset_connection_disturbs_no_other,
    },
];

fn round_trip(client: &mut Client, message: &[u8]) -> Result<(), Failure> {
    client.send(message)?;
    ensure_equal(&client.take(message.len())?, message)
}

fn small_message_comes_back(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    (0..100).try_for_each(|round| round_trip(&mut client, &pattern_bytes(round * 64, 64)))
}

fn single_bytes_come_back_at_once(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    (0..256).try_for_each(|round| round_trip(&mut client, &pattern_bytes(round, 1)))
}

fn pipelined_messages_come_back_in_order(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    for round in 0..10 {
        for message in 0..16 {
            client.send(&pattern_bytes(round * 1024 + message * 64, 64))?;
        }
        ensure_equal(&client.take(1024)?, &pattern_bytes(round * 1024, 1024))?;
    }
    Ok(())
}

fn large_message_comes_back_whole(target: &Target) -> Result<(), Failure> {
    let message = pattern_bytes(0, 4 << 20);
    let mut client = Client::connect(target)?;
    let mut writer = client.writer()?;
    let got = std::thread::scope(|scope| {
        // The writer stops on an error; the reader then sees the early end.
        let sending = scope.spawn(|| writer.write_all(&message));
        let got = client.take(message.len());
        let sent = sending.join();
        got.and_then(|got| match sent {
            Ok(Ok(())) => Ok(got),
            _ => Err(Failure::new("the server stopped reading")),
        })
    })?;
    ensure_equal(&got, &message)
}

fn half_closed_connection_gets_its_rest(target: &Target) -> Result<(), Failure> {
    let message = pattern_bytes(0, 50_000);
    let mut client = Client::connect(target)?;
    client.send(&message)?;
    client.finish()?;
    ensure_equal(&client.take(message.len())?, &message)?;
    client.expect_end()
}

fn silent_connection_ends_quietly(target: &Target) -> Result<(), Failure> {
    let mut client = Client::connect(target)?;
    client.finish()?;
    client.expect_end()
}

fn many_connections_keep_apart(target: &Target) -> Result<(), Failure> {
    let connect = |_| Client::connect(target);
    let mut clients = (0..200).map(connect).collect::<Result<Vec<_>, _>>()?;
    for (number, client) in clients.iter_mut().enumerate() {
        client.send(&pattern_bytes(number * 1000, 200))?;
    }
    for (number, client) in clients.iter_mut().enumerate().rev() {
        ensure_equal(&client.take(200)?, &pattern_bytes(number * 1000, 200))?;
    }
    Ok(())
}

fn reset_connection_disturbs_no_other(target: &Target) -> Result<(), Failure> {
    let mut steady = Client::connect(target)?;
    round_trip(&mut steady, b"before")?;
    for _ in 0..20 {
        let mut broken = Client::connect(target)?;
        broken.send(&pattern_bytes(0, 4096))?;
        // Closing with unread bytes in the buffer makes the kernel send a reset.
        broken.more(1)?;
        drop(broken);
    }
    round_trip(&mut steady, b"behind")
}
