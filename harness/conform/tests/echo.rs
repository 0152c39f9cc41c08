//! The cases of echo, against a server of a few lines that is right and one that is wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use ringside_conform::{Outcome, Target, check, echo};

/// Serves each connection on a thread until the test's process ends; `flip` is added to each byte.
fn server(flip: u8) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, flip));
        }
    });
    address
}

fn serve(mut stream: TcpStream, flip: u8) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        buffer[..count]
            .iter_mut()
            .for_each(|byte| *byte = byte.wrapping_add(flip));
        if stream.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
    // The peer may have reset the connection, which ends it as well.
    let _ = stream.shutdown(Shutdown::Write);
}

fn passed(flip: u8) -> Vec<&'static str> {
    let target = Target {
        address: server(flip),
        root: None,
        cannot: Vec::new(),
    };
    let passes = |case: &&ringside_conform::Case| check(case, &target) == Outcome::Passed;
    echo::cases()
        .iter()
        .filter(passes)
        .map(|case| case.name)
        .collect()
}

#[test]
fn right_server_passes_every_case() {
    assert_eq!(passed(0).len(), echo::cases().len());
}

#[test]
fn server_that_changes_bytes_passes_only_where_none_are_sent() {
    assert_eq!(passed(1), ["silent_connection_ends_quietly"]);
}
