//! The ring against real sockets and files. Where io_uring is refused, the tests say so and end.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;

use super::{Accept, Completion, Payload, Ring, RingSetup, Socket};

fn ring(setup: &RingSetup) -> Option<Ring> {
    match Ring::new(setup) {
        Ok(ring) => Some(ring),
        Err(error) => {
            // Not by `eprintln!`, which the test runner keeps to itself when a test passes.
            let _ = writeln!(std::io::stderr(), "skipped: {error}");
            None
        }
    }
}

fn small() -> RingSetup {
    RingSetup {
        buffers: 4,
        buffer_size: 64,
        direct_descriptors: 16,
        ..RingSetup::default()
    }
}

fn next(ring: &mut Ring) -> Completion {
    loop {
        if let Some(completion) = ring.next_completion() {
            return completion;
        }
        ring.submit_and_wait().unwrap();
    }
}

fn pair() -> (Socket, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Socket::plain(ours.into()), theirs)
}

#[test]
fn sent_bytes_come_back_to_their_owner() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let (ours, mut theirs) = pair();
    ring.send(
        &ours,
        Payload::Bytes(b"hello world".to_vec()),
        6..11,
        false,
        7,
    );
    let completion = next(&mut ring);
    assert_eq!((completion.tag, completion.result), (7, Ok(5)));
    assert_eq!(completion.payload.bytes(), b"hello world");
    let mut received = [0; 5];
    theirs.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"world");
    ring.close(ours);
}

#[test]
fn multishot_receive_ends_without_buffers_and_goes_on_when_they_return() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let (ours, mut theirs) = pair();
    ring.receive_multishot(&ours, 3);
    let sent: Vec<u8> = (0..=255).cycle().take(64 * 6).collect();
    theirs.write_all(&sent).unwrap();
    let mut held = Vec::new();
    let ended = loop {
        let completion = next(&mut ring);
        match completion.payload {
            Payload::Provided(buffer) => held.push(buffer),
            _ => break completion,
        }
    };
    assert_eq!((ended.result, ended.more), (Err(Errno::NOBUFS), false));
    assert_eq!((held.len(), ring.buffers_available()), (4, 0));
    let mut received: Vec<u8> = held.iter().flat_map(|buffer| buffer.to_vec()).collect();
    held.clear();
    assert_eq!(ring.buffers_available(), 4);
    ring.receive_multishot(&ours, 3);
    while received.len() < sent.len() {
        received.extend_from_slice(next(&mut ring).payload.bytes());
    }
    assert_eq!(received, sent);
    drop(theirs);
    let end = next(&mut ring);
    assert_eq!((end.result, end.more), (Ok(0), false));
    ring.close(ours);
}

#[test]
fn cancelled_receive_completes_and_the_peer_sees_the_close() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let (ours, mut theirs) = pair();
    ring.receive_multishot(&ours, 1);
    ring.submit().unwrap();
    ring.cancel_receive(1);
    ring.close(ours);
    let completion = next(&mut ring);
    assert_eq!(
        (completion.result, completion.more),
        (Err(Errno::CANCELED), false)
    );
    ring.submit().unwrap();
    assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn accepted_connections_are_direct_descriptors_and_receive_into_owned_bytes() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    assert_eq!(ring.direct_descriptors(), 16);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    ring.accept(
        &listener,
        Accept {
            multishot: true,
            direct: true,
        },
        9,
    );
    let mut clients: Vec<_> = (0..3)
        .map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap())
        .collect();
    let mut sockets = Vec::new();
    while sockets.len() < 3 {
        let completion = next(&mut ring);
        assert!(completion.more && completion.tag == 9, "{completion:?}");
        let Payload::Accepted(socket) = completion.payload else {
            panic!("no socket")
        };
        assert!(socket.is_direct());
        sockets.push(socket);
    }
    clients[1].write_all(b"to the second").unwrap();
    ring.receive_owned(&sockets[1], b"head ".to_vec(), 100, 11);
    let completion = next(&mut ring);
    assert_eq!(completion.payload.bytes(), b"head to the second");
    ring.cancel_accept(true, 9);
    assert_eq!(next(&mut ring).result, Err(Errno::CANCELED));
    sockets.drain(..).for_each(|socket| ring.close(socket));
}

#[test]
fn a_ring_dropped_in_flight_leaves_nothing_behind() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let (ours, mut theirs) = pair();
    ring.receive_multishot(&ours, 1);
    ring.receive_owned(&ours, Vec::new(), 1 << 16, 2);
    ring.timeout(Duration::from_secs(3600), 3);
    // More than the socket's buffers hold, so that it stays in flight.
    ring.send(
        &ours,
        Payload::Bytes(vec![1; 8 << 20]),
        0..8 << 20,
        false,
        4,
    );
    ring.submit().unwrap();
    assert!(ring.pending() > 0);
    drop(ring);
    // The peer sees what was sent, and nothing of the ring reads what it writes now.
    theirs.set_nonblocking(true).unwrap();
    theirs.write_all(b"late").unwrap();
}

#[test]
fn thousands_of_operations_end_with_the_ring() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let (reader, _writer) = rustix::pipe::pipe().unwrap();
    for tag in 0..5000 {
        ring.poll_readable(&reader, tag);
    }
    ring.submit().unwrap();
    assert_eq!(ring.pending(), 5000);
    assert!(ring.quiesce(), "{} operations are left", ring.pending());
}

#[test]
fn full_queues_lose_nothing() {
    let setup = RingSetup {
        submissions: 2,
        completions: 4,
        ..small()
    };
    let Some(mut ring) = ring(&setup) else { return };
    let (ours, theirs) = pair();
    for tag in 0..64 {
        ring.send(&ours, Payload::Bytes(vec![0; 8]), 0..8, false, tag);
    }
    let tags: BTreeSet<u64> = (0..64).map(|_| next(&mut ring).tag).collect();
    assert_eq!(tags.len(), 64);
    assert_eq!(ring.pending(), 0);
    drop(theirs);
    ring.close(ours);
}

#[test]
fn files_are_read_and_spliced() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let file = Arc::new(file);
    ring.read(&file, 4, Vec::new(), 100, 1);
    assert_eq!(next(&mut ring).payload.bytes(), b"456789");

    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let (reader, writer) = (Arc::new(File::from(reader)), Arc::new(File::from(writer)));
    let (ours, mut theirs) = pair();
    ring.splice_to_pipe(&file, 2, &writer, 5, 2);
    assert_eq!(next(&mut ring).result, Ok(5));
    ring.splice_to_socket(&reader, &ours, 5, false, 3);
    assert_eq!(next(&mut ring).result, Ok(5));
    let mut spliced = [0; 5];
    theirs.read_exact(&mut spliced).unwrap();
    assert_eq!(&spliced, b"23456");
    ring.close(ours);
}

#[test]
fn zero_copy_sends_give_the_bytes_back_with_the_notification() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let ours = Socket::plain(listener.accept().unwrap().0.into());
    let shared: Arc<[u8]> = vec![5; 4096].into();
    ring.send_zero_copy(&ours, Payload::Shared(shared), 0..4096, 1);
    let sent = next(&mut ring);
    assert_eq!((sent.result, sent.more), (Ok(4096), true));
    assert!(matches!(sent.payload, Payload::Nothing));
    client.read_exact(&mut [0; 4096]).unwrap();
    let done = next(&mut ring);
    assert!(done.notification && !done.more);
    assert_eq!(done.payload.bytes().len(), 4096);
    ring.close(ours);
}

#[test]
fn timeouts_and_polls_wake_the_loop() {
    let Some(mut ring) = ring(&RingSetup {
        defer_taskrun: false,
        ..small()
    }) else {
        return;
    };
    ring.timeout(Duration::from_millis(1), 5);
    assert_eq!(next(&mut ring).result, Err(Errno::TIME));
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    ring.poll_readable(&reader, 6);
    ring.submit().unwrap();
    assert!(ring.next_completion().is_none());
    rustix::io::write(&writer, b"x").unwrap();
    assert_eq!(next(&mut ring).tag, 6);
}

#[test]
fn a_wait_for_more_ends_with_them_or_with_its_time() {
    let Some(mut ring) = ring(&small()) else {
        return;
    };
    let long = Duration::from_secs(3600);
    let (ours, mut theirs) = pair();
    ring.receive_multishot(&ours, 1);
    ring.submit().unwrap();
    // One completion of the send, and one of what came.
    theirs.write_all(b"x").unwrap();
    ring.send(&ours, Payload::Bytes(vec![0; 8]), 0..8, false, 2);
    assert!(ring.submit_and_wait_for(1, long).unwrap());
    let tags = BTreeSet::from([next(&mut ring).tag, next(&mut ring).tag]);
    assert_eq!(tags, BTreeSet::from([1, 2]));
    // The send alone does not bring two.
    ring.send(&ours, Payload::Bytes(vec![0; 8]), 0..8, false, 3);
    assert!(
        !ring
            .submit_and_wait_for(1, Duration::from_millis(1))
            .unwrap()
    );
    assert_eq!(next(&mut ring).tag, 3);
    // Nothing at all is no error.
    assert!(
        !ring
            .submit_and_wait_for(1, Duration::from_millis(1))
            .unwrap()
    );
    ring.cancel_receive(1);
    assert_eq!(next(&mut ring).result, Err(Errno::CANCELED));
    ring.close(ours);
}

#[test]
fn a_kernel_thread_takes_submissions() {
    let setup = RingSetup {
        sqpoll: true,
        defer_taskrun: false,
        ..small()
    };
    let Some(mut ring) = ring(&setup) else { return };
    let (ours, theirs) = pair();
    for tag in 0..3000 {
        ring.send(&ours, Payload::Bytes(vec![0; 1]), 0..1, false, tag);
        let mut seen = [0; 1];
        assert_eq!(next(&mut ring).tag, tag);
        (&theirs).read_exact(&mut seen).unwrap();
    }
    ring.close(ours);
}
