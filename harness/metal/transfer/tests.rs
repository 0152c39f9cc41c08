use super::*;
use crate::epoll::{Events, Interest, Poller};
use crate::socket;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn pair(blocking: bool) -> (TcpStream, OwnedFd) {
    let listener = socket::listen(([127, 0, 0, 1], 0).into(), false, true, None).unwrap();
    let client = TcpStream::connect(socket::local_address(&listener).unwrap()).unwrap();
    (client, socket::accept(&listener, blocking).unwrap())
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 31 + index / 256) as u8)
        .collect()
}

fn file(content: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

/// Sends `OFFSET..OFFSET + LENGTH` of a file by `step`, which says how much it sent of the rest.
fn check_transfer(mut step: impl FnMut(&OwnedFd, &File, u64, usize) -> usize) {
    const OFFSET: usize = 5000;
    const LENGTH: usize = 700_000;
    let content = bytes(800_000);
    let file = file(&content);
    let (mut client, server) = pair(true);
    let reader = std::thread::spawn(move || {
        let mut came = Vec::new();
        client.read_to_end(&mut came).unwrap();
        came
    });
    let mut sent = 0;
    while sent < LENGTH {
        let count = step(&server, &file, (OFFSET + sent) as u64, LENGTH - sent);
        assert!(count > 0);
        sent += count;
    }
    drop(server);
    assert!(reader.join().unwrap() == content[OFFSET..OFFSET + LENGTH]);
}

#[test]
fn sendfile_sends_the_asked_part() {
    check_transfer(|socket, file, offset, length| send_file(socket, file, offset, length).unwrap());
}

#[test]
fn splice_sends_the_asked_part() {
    let mut pipe = SplicePipe::new(1 << 16).unwrap();
    check_transfer(|socket, file, offset, length| {
        pipe.fill(file, offset, length).unwrap();
        pipe.drain(socket, false).unwrap()
    });
    assert_eq!(pipe.held(), 0);
}

#[test]
fn a_mapping_sends_the_asked_part() {
    check_transfer(|socket, file, offset, length| {
        let mapping = Mapping::new(file, offset, length).unwrap();
        mapping.send(socket, 0, length, false, false).unwrap()
    });
}

#[test]
fn zero_copy_sends_the_asked_part_and_every_send_is_reported() {
    let (mut sends, mut complete) = (0, 0);
    check_transfer(|socket, file, offset, length| {
        if sends == 0 {
            allow_zero_copy(socket).unwrap();
        }
        let mapping = Mapping::new(file, offset, length.min(50_000)).unwrap();
        let count = mapping.send(socket, 0, length, false, true).unwrap();
        sends += 1;
        if count == length {
            complete += wait_for_notices(socket, sends);
        }
        count
    });
    assert_eq!(complete, sends);
}

/// An error queue that holds something counts as an error condition, so a poller can wait for it.
fn wait_for_notices(socket: &OwnedFd, expected: u64) -> u64 {
    let (poller, mut events) = (Poller::new().unwrap(), Events::with_capacity(1));
    poller.add(socket, 0, Interest::empty()).unwrap();
    let mut complete = 0;
    while complete < expected {
        poller
            .wait(&mut events, Some(Duration::from_secs(10)))
            .unwrap();
        assert!(
            !events.is_empty(),
            "{complete} notices of {expected} sends came in 10 s"
        );
        complete += reap_zero_copy(socket).unwrap().complete;
    }
    complete
}

#[test]
fn reading_appends_and_stops_at_the_end() {
    let file = file(b"0123456789");
    let mut out = b"head ".to_vec();
    assert_eq!(read_at(&file, 4, 100, &mut out).unwrap(), 6);
    assert_eq!(read_at(&file, 10, 100, &mut out).unwrap(), 0);
    assert_eq!(out, b"head 456789");
}

#[test]
fn a_file_cut_after_mapping_is_an_error_and_no_signal() {
    let file = file(&bytes(100_000));
    let mapping = Mapping::new(&file, 0, 100_000).unwrap();
    file.set_len(0).unwrap();
    let (_client, server) = pair(true);
    let error = mapping.send(&server, 0, 100_000, false, false).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EFAULT));
}

#[test]
fn a_file_cut_before_sending_gives_zero() {
    let file = file(b"short");
    let (_client, server) = pair(true);
    assert_eq!(send_file(&server, &file, 5, 10).unwrap(), 0);
    assert_eq!(
        SplicePipe::new(4096).unwrap().fill(&file, 5, 10).unwrap(),
        0
    );
}

#[test]
fn a_full_socket_would_block_and_the_pipe_keeps_what_it_holds() {
    let content = bytes(1 << 16);
    let file = file(&content);
    let (client, server) = pair(false);
    let mut pipe = SplicePipe::new(1 << 16).unwrap();
    let mut sent = 0;
    loop {
        pipe.fill(&file, 0, content.len()).unwrap();
        match pipe.drain(&server, false) {
            Ok(count) => sent += count,
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                break;
            }
        }
    }
    assert!(sent > 0 && pipe.held() > 0);
    drop(client);
}
