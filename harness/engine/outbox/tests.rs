use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;

fn pair() -> (TcpStream, OwnedFd) {
    let listener = socket::listen(([127, 0, 0, 1], 0).into(), false, true, None).unwrap();
    let client = TcpStream::connect(socket::local_address(&listener).unwrap()).unwrap();
    (client, socket::accept(&listener, false).unwrap())
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 13 + index / 256) as u8)
        .collect()
}

fn file_body(content: &[u8], offset: u64, length: u64) -> Body {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    Body {
        content: Content::File(Arc::new(file)),
        offset,
        length,
    }
}

fn memory_body(content: &[u8], offset: u64, length: u64) -> Body {
    Body {
        content: Content::Memory(content.into()),
        offset,
        length,
    }
}

/// Holds `out` and `body`, flushes turn by turn while the peer reads, and gives what came and how
/// often a turn was over.
fn send(mode: BodyMode, out: &[u8], body: &Body, tail: &[u8]) -> (Vec<u8>, usize) {
    let (mut client, server) = pair();
    let (mut outbox, mut sender) = (Outbox::default(), Sender::new(mode));
    outbox.hold_body(&server, &mut out.to_vec(), body, &mut sender);
    outbox.append(tail);
    let reader = std::thread::spawn(move || {
        let mut came = Vec::new();
        client.read_to_end(&mut came).unwrap();
        came
    });
    let mut turns_over = 0;
    loop {
        sender.begin_turn();
        match outbox.flush(&server, &mut sender).unwrap() {
            Flushed::All => break,
            Flushed::TurnOver => turns_over += 1,
            Flushed::Blocked => wait_for_room(&server),
            Flushed::CutShort => panic!("the content is whole"),
        }
    }
    assert!(outbox.is_empty());
    drop(server);
    let came = reader.join().unwrap();
    assert_eq!(sender.sent.bytes, came.len() as u64);
    (came, turns_over)
}

fn wait_for_room(socket: &OwnedFd) {
    use ringside_metal::epoll::{Events, Interest, Poller};
    let poller = Poller::new().unwrap();
    poller.add(socket, 0, Interest::OUT).unwrap();
    poller.wait(&mut Events::with_capacity(1), None).unwrap();
}

const MODES: &[BodyMode] = &[
    BodyMode::Memory,
    BodyMode::Copy { buffer: 8 << 10 },
    BodyMode::Mmap,
    BodyMode::Sendfile,
    BodyMode::Splice,
    BodyMode::MsgZerocopy,
];

#[test]
fn head_body_and_tail_keep_their_order_in_every_mode() {
    let content = bytes(3_000_000);
    let expected = [b"head".as_slice(), &content[4097..2_904_097], b"tail"].concat();
    for &mode in MODES {
        let (came, turns_over) = send(
            mode,
            b"head",
            &file_body(&content, 4097, 2_900_000),
            b"tail",
        );
        assert!(came == expected, "{mode:?}");
        assert!(
            turns_over >= 2_900_000 / TURN_BYTES,
            "{mode:?} took more than its share"
        );
    }
    let (came, turns_over) = send(
        BodyMode::Memory,
        b"head",
        &memory_body(&content, 4097, 2_900_000),
        b"tail",
    );
    assert!(came == expected && turns_over >= 2_900_000 / TURN_BYTES);
}

#[test]
fn an_empty_body_is_nothing_between_head_and_tail() {
    for &mode in MODES {
        let (came, _) = send(mode, b"head", &file_body(b"content", 3, 0), b"tail");
        assert_eq!(came, b"headtail", "{mode:?}");
    }
}

#[test]
fn small_bodies_are_copied_behind_their_heads_where_the_mode_copies() {
    let content = bytes(20_000);
    let check = |mode: BodyMode, body: &Body, expected: bool| {
        let mut out = b"head".to_vec();
        let inline = Sender::new(mode).inline(body, &mut out).unwrap();
        assert_eq!(inline, expected, "{mode:?}");
        assert_eq!(
            out.len(),
            if expected {
                4 + body.length as usize
            } else {
                4
            }
        );
    };
    let small = file_body(&content, 1, 1000);
    check(BodyMode::Memory, &small, true);
    check(BodyMode::Copy { buffer: 8 << 10 }, &small, true);
    check(
        BodyMode::Copy { buffer: 8 << 10 },
        &file_body(&content, 0, 10_000),
        false,
    );
    check(BodyMode::Sendfile, &small, false);
    check(BodyMode::Mmap, &small, false);
    check(BodyMode::Sendfile, &memory_body(&content, 1, 1000), true);
    check(BodyMode::Memory, &memory_body(&content, 0, 20_000), false);
}

#[test]
fn content_that_is_too_short_is_seen_in_every_mode_and_what_is_before_it_goes() {
    for &mode in MODES {
        for body in [file_body(b"short", 2, 4), memory_body(b"short", 2, 4)] {
            let (mut client, server) = pair();
            let (mut sender, mut outbox) = (Sender::new(mode), Outbox::default());
            let mut out = b"before".to_vec();
            match sender.inline(&body, &mut out) {
                Ok(whole) => {
                    assert!(!whole, "{mode:?} {body:?}");
                    outbox.hold_body(&server, &mut out, &body, &mut sender);
                }
                Err(_) => outbox.hold_cut_short(&mut out, &mut sender),
            }
            let outcome = outbox.flush(&server, &mut sender).unwrap();
            assert_eq!(outcome, Flushed::CutShort, "{mode:?} {body:?}");
            assert!(outbox.is_empty());
            drop(server);
            let mut came = Vec::new();
            client.read_to_end(&mut came).unwrap();
            assert!(came.starts_with(b"before"), "{mode:?} {body:?}");
            assert!(came.len() < 10, "{mode:?} {body:?}");
        }
    }
}

#[test]
fn what_a_full_socket_leaves_is_kept_and_sent_later() {
    let (mut client, server) = pair();
    let (mut outbox, mut sender) = (Outbox::default(), Sender::new(BodyMode::Memory));
    let content = bytes(16_000_000);
    outbox.hold(&mut content.clone(), 1000, &mut sender);
    assert_eq!(
        outbox.flush(&server, &mut sender).unwrap(),
        Flushed::Blocked
    );
    outbox.append(b"tail");
    let reader = std::thread::spawn(move || {
        let mut came = Vec::new();
        client.read_to_end(&mut came).unwrap();
        came
    });
    while outbox.flush(&server, &mut sender).unwrap() != Flushed::All {
        wait_for_room(&server);
    }
    drop(server);
    assert!(reader.join().unwrap() == [&content[1000..], b"tail"].concat());
}

#[test]
fn pipes_and_buffers_are_used_again() {
    let (_client, server) = pair();
    let (mut outbox, mut sender) = (Outbox::default(), Sender::new(BodyMode::Splice));
    let body = file_body(&bytes(100), 0, 100);
    for _ in 0..3 {
        outbox.hold_body(&server, &mut b"head".to_vec(), &body, &mut sender);
        assert_eq!(outbox.flush(&server, &mut sender).unwrap(), Flushed::All);
        assert_eq!(sender.pipes.len(), 1);
        assert_eq!(sender.buffers.len(), 1);
    }
}
