//! One suite for every engine of the family, over real sockets.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ringside_contract::{Implementation, ServeOptions, Service, Settings};

/// Starts every implementation with each value of each axis changed alone, and checks it.
///
/// An implementation that this machine refuses to start (such as a ring in a container) is named on
/// standard error and passed over; every other failure is one.
fn check(behaviour: impl Fn(SocketAddr)) {
    let mut checked = 0;
    for (implementation, axes) in variants() {
        let spec = implementation.meta().canonical(&axes).unwrap();
        let service = match implementation.start(&options(implementation, &axes)) {
            Ok(service) => service,
            Err(error @ ringside_contract::StartError::Unsupported { .. }) => {
                eprintln!("{spec}: {error}");
                continue;
            }
            Err(error) => panic!("{spec}: {error}"),
        };
        eprintln!("checking {spec}");
        for &address in &service.endpoint().addresses {
            behaviour(address);
        }
        stop(service);
        checked += 1;
    }
    assert!(checked >= 6, "only {checked} variants could be started");
}

fn variants() -> Vec<(&'static dyn Implementation, Settings)> {
    let mut variants = Vec::new();
    for &implementation in ringside_echo::all() {
        variants.push((implementation, Settings::default()));
        for axis in implementation.meta().axes {
            for value in axis.values.iter().filter(|&&value| value != axis.default) {
                let mut axes = Settings::default();
                axes.set(axis.name, value);
                variants.push((implementation, axes));
            }
        }
    }
    variants
}

fn options(implementation: &dyn Implementation, axes: &Settings) -> ServeOptions {
    ServeOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 2,
        cpus: Vec::new(),
        axes: implementation.meta().resolve(axes).unwrap(),
        root: None,
        congestion: None,
        head_deadline: None,
    }
}

fn stop(service: Box<dyn Service>) {
    let started = Instant::now();
    service.stop().unwrap();
    // Far above the usual milliseconds: a loaded machine is no failure, a hang is.
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "stopping took {:?}",
        started.elapsed()
    );
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    // A missing answer fails the test instead of hanging it.
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

fn bytes(length: usize, seed: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index * 7 + index / 251 + seed) as u8)
        .collect()
}

/// Sends `message` while reading, and checks that it comes back.
fn echo(stream: &mut TcpStream, message: &[u8]) {
    let mut sending = stream.try_clone().unwrap();
    let mut came = vec![0; message.len()];
    std::thread::scope(|scope| {
        scope.spawn(move || sending.write_all(message).unwrap());
        stream.read_exact(&mut came).unwrap();
    });
    assert!(came == message, "{} bytes came back changed", message.len());
}

#[test]
fn small_and_large_messages_come_back() {
    check(|address| {
        let mut stream = connect(address);
        for (seed, length) in [1, 64, 4096, 64 << 10, 3_000_000, 64]
            .into_iter()
            .enumerate()
        {
            echo(&mut stream, &bytes(length, seed));
        }
    });
}

#[test]
fn many_connections_are_served_in_turn() {
    check(|address| {
        let mut streams: Vec<_> = (0..50).map(|_| connect(address)).collect();
        for round in 0..3 {
            for (number, stream) in streams.iter_mut().enumerate() {
                stream.write_all(&bytes(64, number + round)).unwrap();
            }
            for (number, stream) in streams.iter_mut().enumerate() {
                let mut came = [0; 64];
                stream.read_exact(&mut came).unwrap();
                assert_eq!(came[..], bytes(64, number + round));
            }
        }
    });
}

#[test]
fn pipelined_messages_come_back_in_order() {
    check(|address| {
        let mut stream = connect(address);
        for round in 0..20 {
            for message in 0..16 {
                stream.write_all(&bytes(64, round + message)).unwrap();
            }
            for message in 0..16 {
                let mut came = [0; 64];
                stream.read_exact(&mut came).unwrap();
                assert_eq!(came[..], bytes(64, round + message));
            }
        }
    });
}

#[test]
fn a_message_in_single_bytes_comes_back() {
    check(|address| {
        let mut stream = connect(address);
        for byte in bytes(64, 3) {
            stream.write_all(&[byte]).unwrap();
            let mut came = [0];
            stream.read_exact(&mut came).unwrap();
            assert_eq!(came, [byte]);
        }
    });
}

#[test]
fn a_peer_that_closes_its_side_gets_everything_and_then_the_end() {
    check(|address| {
        for length in [64, 2_000_000] {
            let mut stream = connect(address);
            let message = bytes(length, 5);
            let mut came = Vec::new();
            let mut sending = stream.try_clone().unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    sending.write_all(&message).unwrap();
                    sending.shutdown(Shutdown::Write).unwrap();
                });
                stream.read_to_end(&mut came).unwrap();
            });
            assert!(
                came == message,
                "{} of {length} bytes came back",
                came.len()
            );
        }
    });
}

#[test]
fn a_peer_that_never_reads_does_not_hold_up_others() {
    check(|address| {
        let mut greedy = connect(address);
        greedy.set_nonblocking(true).unwrap();
        let block = bytes(64 << 10, 0);
        // Until both directions are full: the server can no longer read nor send here.
        let mut quiet = 0;
        while quiet < 5 {
            match greedy.write(&block) {
                Ok(_) => quiet = 0,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    echo(&mut connect(address), &bytes(64, quiet));
                    quiet += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn reset_peers_leave_the_others_alone() {
    check(|address| {
        let mut steady = connect(address);
        for _ in 0..20 {
            let mut stream = connect(address);
            stream.write_all(&bytes(100_000, 1)).unwrap();
            // Closed with input unread: the kernel sends a reset.
            drop(stream);
            echo(&mut steady, &bytes(64, 1));
        }
    });
}

#[test]
fn stopping_closes_open_connections() {
    for (implementation, axes) in variants() {
        let Ok(service) = implementation.start(&options(implementation, &axes)) else {
            continue;
        };
        let address = service.endpoint().addresses[0];
        let mut idle = connect(address);
        let mut streams: Vec<_> = (0..10).map(|_| connect(address)).collect();
        for stream in &mut streams {
            echo(stream, &bytes(64, 1));
        }
        stop(service);
        for stream in streams.iter_mut().chain([&mut idle]) {
            // The end or a reset, as long as it ends.
            let ended = match stream.read(&mut [0; 16]) {
                Ok(count) => count == 0,
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
            };
            assert!(ended, "{} left a connection open", implementation.meta().id);
        }
        assert!(
            TcpStream::connect(address).is_err(),
            "{} still listens",
            implementation.meta().id
        );
    }
}

#[test]
fn ids_are_files_and_files_are_in_the_list() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()?
                .strip_suffix(".rs")
                .map(str::to_owned)
        })
        .filter(|name| name != "lib" && !name.starts_with("core"))
        .map(|name| format!("echo/{name}"))
        .collect();
    let mut ids: Vec<String> = ringside_echo::all()
        .iter()
        .map(|implementation| implementation.meta().id.to_owned())
        .collect();
    files.sort();
    ids.sort();
    assert_eq!(files, ids);
}
