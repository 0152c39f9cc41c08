//! More clients than a table of descriptors holds: further loops take them, and messages cross from loop to
//! loop. In a program of its own, since the limit on open files is the whole process's.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::Duration;
use std::{panic, process, thread};

use ringside_contract::{Implementation, ServeOptions, Service, Settings, StartError};
use ringside_metal::SmallTable;
use ringside_wire::mqtt::encode::{self, Connect, Publish};
use ringside_wire::mqtt::packet::Wanted;
use ringside_wire::mqtt::{QualityOfService, Version};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files of a table.
const LIMIT: u64 = 256;

/// The engines that take further loops, each in a table of its own.
const ENGINES: &[&str] = &["mqtt/uring", "mqtt/epoll", "mqtt/per_core_epoll"];

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
        // So that there is something to write down where sessions outlive the broker.
        clean_start: false,
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
fn clients_of_all_loops_hear_one_another_and_see_their_end() {
    // The other clients would wait for the one that failed.
    panic::set_hook(Box::new(|failure| {
        eprintln!("{failure}");
        process::exit(101);
    }));
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = Some(LIMIT);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let kinds = ENGINES
        .iter()
        .flat_map(|id| ["off", "file"].map(|kept| (*id, kept)));
    for (id, kept) in kinds {
        eprintln!("checking {id}[persistence={kept}]");
        let all = ringside_mqtt::all().iter();
        let engine = *all.clone().find(|one| one.meta().id == id).unwrap();
        match engine.start(&options(engine, kept)) {
            Ok(service) => serve_all(service),
            Err(error @ StartError::Unsupported { .. }) => eprintln!("skipped: {error}"),
            Err(error) => panic!("{error}"),
        }
    }
}

fn serve_all(service: Box<dyn Service>) {
    let address = service.endpoint().addresses[0];
    let step = Barrier::new(THREADS + 1);
    let counters = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let step = &step;
                scope.spawn(move || clients(address, number, step))
            })
            .collect();
        // Tables, connections, messages, ends: all clients do them together.
        for _ in 0..4 {
            step.wait();
        }
        let counters = service.stop().unwrap();
        // No table has the listener any more.
        let late = TcpStream::connect(address).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::ConnectionRefused);
        // The end of the service.
        step.wait();
        let heard: Vec<bool> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        heard.contains(&true).then_some(counters)
    });
    let Some(counters) = counters else {
        return eprintln!("skipped: no thread can have a table of its own here");
    };
    let accepted = (THREADS * CLIENTS + THREADS) as u64;
    assert_eq!(counters["accepted"], accepted, "{counters:?}");
    assert!(!counters.contains_key("loops_refused"), "{counters:?}");
    assert!(!counters.contains_key("rings_refused"), "{counters:?}");
}

/// Clients that each subscribe. The first of each thread, which is on the first loop, and the last, which is
/// on a later one, say something to all; then they leave in several ways. False where the thread could have
/// no table of its own.
fn clients(address: SocketAddr, number: usize, step: &Barrier) -> bool {
    // Before the server has a connection: nothing of it may stay open in here.
    let table = SmallTable::enter(&[]);
    step.wait();
    if table.is_err() {
        for _ in 0..4 {
            step.wait();
        }
        return false;
    }
    let mut clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let mut stream = connect(address, &format!("client-{number}-{client}"));
            subscribe(&mut stream, "all");
            stream
        })
        .collect();
    step.wait();
    for publisher in [0, CLIENTS - 1] {
        publish(&mut clients[publisher], "all");
    }
    for stream in &mut clients {
        for _ in 0..2 * THREADS {
            assert_eq!(&read::<12>(stream), b"\x30\x0a\x00\x03allhello");
        }
    }
    step.wait();
    refused(address);
    // Every other one leaves, those that came before there was a second table among them. The server closes
    // such a connection without another word, so its end comes once it is open in no table.
    let (leaving, staying): (Vec<_>, Vec<_>) = (0..).zip(clients).partition(|(at, _)| at % 2 == 0);
    for (_, mut stream) in leaving {
        stream.shutdown(Shutdown::Write).unwrap();
        assert_ended(&mut stream);
    }
    step.wait();
    step.wait();
    for (_, mut stream) in staying {
        assert_ended(&mut stream);
    }
    drop(table);
    true
}

/// A client that names itself before it says what it speaks is refused, and sees the end.
fn refused(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    publish(&mut stream, "all");
    assert_ended(&mut stream);
}

/// The server's side is closed, whether it has read everything or not.
fn assert_ended(stream: &mut TcpStream) {
    match stream.read(&mut [0]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

fn options(implementation: &dyn Implementation, kept: &str) -> ServeOptions {
    let mut axes = Settings::default();
    axes.set("persistence", kept);
    ServeOptions::local(implementation.meta().resolve(&axes).unwrap())
}
