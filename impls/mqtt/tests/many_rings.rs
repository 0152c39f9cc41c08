//! More clients than a ring's table of descriptors holds: further rings take them, and messages cross from
//! ring to ring. In a program of its own, since the limit on open files is the whole process's.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use ringside_contract::{Implementation, ServeOptions, Settings, StartError};
use ringside_metal::own_table;
use ringside_wire::mqtt::encode::{self, Connect, Publish};
use ringside_wire::mqtt::packet::Wanted;
use ringside_wire::mqtt::{QualityOfService, Version};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files of a table.
const LIMIT: u64 = 256;

/// Threads with clients, each with a table of its own, and clients of each: more than two tables in all.
const THREADS: usize = 4;
const CLIENTS: usize = 160;

/// It is long because a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(20);

fn connect(address: SocketAddr, name: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    let connect = Connect {
        version: Version::V311,
        clean_start: true,
        keep_alive: 0,
        client: name,
        will: None,
        user_name: None,
        password: None,
        properties: &[],
    };
    encode::connect(&mut bytes, &connect);
    stream.write_all(&bytes).unwrap();
    assert_eq!(read::<4>(&mut stream), [0x20, 2, 0, 0], "{name}");
    stream
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

fn subscribe(stream: &mut TcpStream, filter: &str) {
    let mut bytes = Vec::new();
    let wanted = Wanted {
        filter,
        quality: QualityOfService::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: 0,
    };
    encode::subscribe(&mut bytes, Version::V311, 1, &[], &[wanted]);
    stream.write_all(&bytes).unwrap();
    assert_eq!(read::<5>(stream), [0x90, 3, 0, 1, 0]);
}

fn publish(stream: &mut TcpStream, topic: &str) {
    let mut bytes = Vec::new();
    let publish = Publish {
        duplicate: false,
        quality: QualityOfService::AtMostOnce,
        retain: false,
        topic,
        identifier: 0,
        properties: &[],
        payload: b"hello",
    };
    encode::publish(&mut bytes, Version::V311, &publish);
    stream.write_all(&bytes).unwrap();
}

#[test]
fn clients_of_all_rings_hear_one_another() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = Some(LIMIT);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let all = ringside_mqtt::all().iter();
    let uring = *all
        .clone()
        .find(|one| one.meta().id == "mqtt/uring")
        .unwrap();
    let service = match uring.start(&options(uring)) {
        Ok(service) => service,
        Err(error @ StartError::Unsupported { .. }) => return eprintln!("skipped: {error}"),
        Err(error) => panic!("{error}"),
    };
    let address = service.endpoint().addresses[0];
    let (ready, over) = (Barrier::new(THREADS), Barrier::new(THREADS));
    let heard: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (ready, over) = (&ready, &over);
                scope.spawn(move || clients(address, number, ready, over))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    if heard == 0 {
        return eprintln!("skipped: no thread can have a table of its own here");
    }
    assert_eq!(heard, THREADS * CLIENTS);
    let counters = service.stop().unwrap();
    assert_eq!(
        counters["accepted"],
        (THREADS * CLIENTS) as u64,
        "{counters:?}"
    );
}

/// Clients that each subscribe; then the first of each thread says something to all. Gives how many heard
/// all of it.
fn clients(address: SocketAddr, number: usize, ready: &Barrier, over: &Barrier) -> usize {
    if own_table().is_err() {
        ready.wait();
        over.wait();
        return 0;
    }
    let mut clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let mut stream = connect(address, &format!("client-{number}-{client}"));
            subscribe(&mut stream, "all");
            stream
        })
        .collect();
    ready.wait();
    publish(&mut clients[0], "all");
    for stream in &mut clients {
        for _ in 0..THREADS {
            assert_eq!(&read::<12>(stream), b"\x30\x0a\x00\x03allhello");
        }
    }
    over.wait();
    clients.len()
}

fn options(implementation: &dyn Implementation) -> ServeOptions {
    ServeOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        cpus: Vec::new(),
        axes: implementation.meta().resolve(&Settings::default()).unwrap(),
        root: None,
        state: None,
        congestion: None,
        head_deadline: None,
    }
}
