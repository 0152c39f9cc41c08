//! Every case of the family over every engine, with each value of each axis changed alone, and what
//! peers that never read cost.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use common::{connect, each_variant};
use ringside_conform::{Outcome, Target, check, echo};

#[test]
fn every_engine_conforms_with_every_axis_value() {
    each_variant(|spec, addresses, service| {
        for address in addresses {
            let target = Target {
                address,
                root: None,
                cannot: Vec::new(),
            };
            for case in echo::cases() {
                let outcome = check(case, &target);
                assert_eq!(outcome, Outcome::Passed, "{spec}: {}", case.name);
            }
        }
        service.stop().unwrap();
    });
}

/// What a server may hold of what came from a peer that never reads, behind what the kernel took to
/// send: on rings 64 KiB of input, 256 KiB of replies in flight and as many that wait, and what a
/// multishot receive brought before the loop saw that they wait.
const HELD_MAX: u64 = 2 << 20;

const GREEDY: usize = 8;

#[test]
fn peers_that_never_read_are_no_longer_read_from() {
    each_variant(|spec, addresses, service| {
        let mut greedy: Vec<TcpStream> = (0..GREEDY).map(|_| connect(addresses[0])).collect();
        fill(&mut greedy, addresses[0]);
        let counters = service.stop().unwrap();
        // A floor counts no bytes.
        if let Some(received) = counters.get("bytes_received") {
            let held = received.saturating_sub(counters["bytes_sent"]) / GREEDY as u64;
            assert!(held <= HELD_MAX, "{spec} held {held} bytes for each");
        }
    });
}

/// Sends until nobody takes more, while others are served.
fn fill(greedy: &mut [TcpStream], address: SocketAddr) {
    let block = vec![b'g'; 64 << 10];
    for stream in &mut *greedy {
        stream.set_nonblocking(true).unwrap();
    }
    let mut quiet = 0;
    while quiet < 10 {
        quiet += 1;
        for stream in &mut *greedy {
            match stream.write(&block) {
                Ok(_) => quiet = 0,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
        if quiet > 0 {
            // The answer means that the server had a turn.
            let mut other = connect(address);
            other.write_all(b"others").unwrap();
            let mut came = [0; 6];
            other.read_exact(&mut came).unwrap();
            assert_eq!(&came, b"others");
        }
    }
}
