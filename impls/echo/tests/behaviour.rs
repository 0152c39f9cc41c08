//! What every engine of the family must do beyond the cases of the conformance library, which see a
//! server only from outside.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use common::{connect, each_variant};

#[test]
fn a_peer_that_closes_its_side_gets_all_of_much_and_then_the_end() {
    // More than socket buffers hold.
    let message: Vec<u8> = (0..2_000_000).map(|at| (at * 7 + at / 251) as u8).collect();
    each_variant(|spec, addresses, service| {
        for address in addresses {
            let mut stream = connect(address);
            let mut sending = stream.try_clone().unwrap();
            let mut came = Vec::new();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    sending.write_all(&message).unwrap();
                    sending.shutdown(Shutdown::Write).unwrap();
                });
                stream.read_to_end(&mut came).unwrap();
            });
            assert!(came == message, "{spec}: {} bytes came back", came.len());
        }
        service.stop().unwrap();
    });
}

#[test]
fn stopping_closes_open_connections() {
    each_variant(|spec, addresses, service| {
        let mut idle = connect(addresses[0]);
        let mut streams: Vec<_> = (0..10).map(|_| connect(addresses[0])).collect();
        for stream in &mut streams {
            stream.write_all(b"message").unwrap();
            stream.read_exact(&mut [0; 7]).unwrap();
        }
        let started = Instant::now();
        service.stop().unwrap();
        let took = started.elapsed();
        // Far above the usual milliseconds: a loaded machine is no failure, a hang is.
        assert!(took < Duration::from_secs(20), "{spec}: {took:?}");
        for stream in streams.iter_mut().chain([&mut idle]) {
            // The end or a reset, as long as it ends.
            let ended = match stream.read(&mut [0; 16]) {
                Ok(count) => count == 0,
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
            };
            assert!(ended, "{spec} left a connection open");
        }
        let again = TcpStream::connect(addresses[0]);
        assert!(again.is_err(), "{spec} still listens");
    });
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
