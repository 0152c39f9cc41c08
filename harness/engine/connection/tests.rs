use super::*;
use crate::stall::STALL;
use crate::{Body, Content, Progress};
use std::io::Read;
use std::net::TcpStream;

const LENGTH: usize = 32 << 20;

/// Any input asks for a large body; the core wants to close at every tick.
struct Hasty;

impl Protocol for Hasty {
    type Connection = bool;

    fn open(&self, _now: Millis) -> bool {
        false
    }

    fn receive(&self, asked: &mut bool, input: &[u8], _: Millis, _: &mut Vec<u8>) -> Progress {
        let step = if std::mem::replace(asked, true) {
            Step::Read
        } else {
            Step::Body(Body {
                content: Content::Memory(vec![7; LENGTH].into()),
                offset: 0,
                length: LENGTH as u64,
            })
        };
        let consumed = input.len();
        Progress { consumed, step }
    }

    fn half_closed(&self, _: &mut bool, _: &mut Vec<u8>) {}

    fn tick(&self, _: &mut bool, _: Millis, _: &mut Vec<u8>) -> Tick {
        Tick::Close
    }
}

/// A connection whose socket is full of the body.
fn full() -> (TcpStream, Connection<Hasty>, Workspace) {
    let listener = socket::listen(([127, 0, 0, 1], 0).into(), false, true, None).unwrap();
    let client = TcpStream::connect(socket::local_address(&listener).unwrap()).unwrap();
    let server = socket::accept(&listener, false).unwrap();
    let mut space = Workspace::new(LOOP_INPUT, BodyMode::Memory);
    let mut connection = Connection::new(server, &Hasty, &mut space);
    socket::send(&client, b"?", false).unwrap();
    connection.report(Interest::IN);
    while !connection.waits_to_send() || connection.turn(&Hasty, &mut space) == Turn::Again {
        connection.report(Interest::IN);
        assert_ne!(connection.turn(&Hasty, &mut space), Turn::Closed);
    }
    (client, connection, space)
}

#[test]
fn a_core_that_closes_lets_a_pending_body_arrive_whole() {
    let (mut client, mut connection, mut space) = full();
    assert_eq!(connection.tick(&Hasty, &mut space), Turn::Wait);
    let reader = std::thread::spawn(move || {
        let mut came = Vec::new();
        client.read_to_end(&mut came).map(|_| came.len())
    });
    // As an event loop would, which is told that there is room.
    // The turn that sends the last of it may see the reader leave too, and is closed then.
    while connection.waits_to_send() && connection.turn(&Hasty, &mut space) != Turn::Closed {
        std::thread::yield_now();
    }
    assert_eq!(reader.join().unwrap().unwrap(), LENGTH);
}

#[test]
fn a_peer_that_takes_little_is_kept_though_the_socket_has_no_room() {
    let (mut client, mut connection, mut space) = full();
    let mut piece = vec![0; 128 << 10];
    for round in 0..4 {
        space.now = round * (STALL - 1000);
        assert_eq!(connection.tick(&Hasty, &mut space), Turn::Wait);
        let before = socket::unacknowledged(connection.socket()).unwrap();
        client.read_exact(&mut piece).unwrap();
        // The kernel may bring the acknowledgement a moment later.
        while socket::unacknowledged(connection.socket()).unwrap() == before {
            client.read_exact(&mut piece[..1]).unwrap();
        }
    }
}

#[test]
fn a_peer_that_takes_nothing_is_not_kept() {
    let (_client, mut connection, mut space) = full();
    space.now = 1000;
    assert_eq!(connection.tick(&Hasty, &mut space), Turn::Wait);
    space.now = 1000 + STALL - 1;
    assert_eq!(connection.tick(&Hasty, &mut space), Turn::Wait);
    space.now = 1000 + STALL;
    assert_eq!(connection.tick(&Hasty, &mut space), Turn::Closed);
}
