//! What every engine on an async runtime must do with each step of a core, over real sockets.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringside_contract::{Counters, ServeOptions, Service, Settings, StartError};
use ringside_engine::{
    Body, Content, EngineOptions, Millis, Progress, Protocol, Step, Tick, compio, tokio,
    tokio_uring,
};

type Start = fn(Script, &EngineOptions) -> Result<Box<dyn Service>, StartError>;

const TOKIO: Start = tokio::start::<Script>;
const ENGINES: [(&str, Start); 3] = [
    ("tokio", TOKIO),
    ("tokio_uring", tokio_uring::start::<Script>),
    ("compio", compio::start::<Script>),
];

/// Each byte of input is a request; every reply but a reflected one begins with `<`.
///
/// `r` reflects, `s` and `l` give a small and a large body from memory, `f` gives the file, `x` gives
/// more of the file than there is, `c` closes, `t` is answered when time is up, `d` is a large body
/// and the time is up.
#[derive(Clone)]
struct Script {
    memory: Arc<[u8]>,
    file: Arc<File>,
    length: u64,
}

impl Script {
    fn new(length: usize) -> Self {
        let content: Vec<u8> = (0..length).map(|at| (at / 251 + at) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&content).unwrap();
        Self {
            memory: content.into(),
            file: Arc::new(file),
            length: length as u64,
        }
    }
}

impl Protocol for Script {
    type Connection = bool;

    fn open(&self, _now: Millis) -> bool {
        false
    }

    fn receive(&self, waits: &mut bool, input: &[u8], _: Millis, out: &mut Vec<u8>) -> Progress {
        let Some(request) = input.first() else {
            return Progress {
                consumed: 0,
                step: Step::Read,
            };
        };
        let memory = || Content::Memory(Arc::clone(&self.memory));
        let file = || Content::File(Arc::clone(&self.file));
        let body = |content, offset, length| {
            Step::Body(Body {
                content,
                offset,
                length,
            })
        };
        if !b"rt".contains(request) {
            out.push(b'<');
        }
        let step = match request {
            b'r' => Step::Reflect { length: 1 },
            b's' => body(memory(), 1, 3),
            b'l' => body(memory(), 0, self.length),
            b'f' => body(file(), 1, self.length - 1),
            b'd' => {
                *waits = true;
                body(memory(), 0, self.length)
            }
            b'x' => body(file(), 0, self.length + 1),
            b't' => {
                *waits = true;
                Step::Read
            }
            _ => Step::Close,
        };
        Progress { consumed: 1, step }
    }

    fn half_closed(&self, _: &mut bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<end");
    }

    fn tick(&self, waits: &mut bool, _: Millis, out: &mut Vec<u8>) -> Tick {
        if !*waits {
            return Tick::Keep;
        }
        out.extend_from_slice(b"<late");
        Tick::Close
    }
}

struct Server {
    service: Box<dyn Service>,
    script: Script,
}

impl Server {
    fn start(start: Start, body: &str, workers: usize) -> Self {
        let mut axes = Settings::default();
        axes.set("body", body);
        let serve = ServeOptions {
            workers,
            ..ServeOptions::local(axes)
        };
        let script = Script::new(3_000_000);
        let options = EngineOptions::new(&serve).unwrap();
        Self {
            service: start(script.clone(), &options).unwrap(),
            script,
        }
    }

    fn address(&self) -> SocketAddr {
        self.service.endpoint().addresses[0]
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address()).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        client
    }

    /// Sends requests, ends the sending side and gives all that comes back.
    fn ask(&self, requests: &[u8]) -> Vec<u8> {
        let mut client = self.connect();
        client.write_all(requests).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut replies = Vec::new();
        client.read_to_end(&mut replies).unwrap();
        replies
    }

    fn stop(self) -> Counters {
        let begin = Instant::now();
        let counters = self.service.stop().unwrap();
        assert!(
            begin.elapsed() < Duration::from_secs(5),
            "stopping took {:?}",
            begin.elapsed()
        );
        counters
    }
}

fn each_engine(mut check: impl FnMut(&str, Server)) {
    for (name, start) in ENGINES {
        for workers in [1, 2] {
            check(name, Server::start(start, "memory", workers));
        }
    }
}

#[test]
fn replies_keep_their_order_and_half_close_is_answered() {
    each_engine(|name, server| {
        let mut expected = b"r<".to_vec();
        expected.extend_from_slice(&server.script.memory[1..4]);
        expected.push(b'<');
        expected.extend_from_slice(&server.script.memory);
        expected.extend_from_slice(b"rr<end");
        assert!(server.ask(b"rslrr") == expected, "{name}");
        let counters = server.stop();
        assert_eq!(counters["accepted"], 1, "{name}");
        assert_eq!(counters["bytes_received"], 5, "{name}");
        assert_eq!(counters["bytes_sent"], expected.len() as u64, "{name}");
    });
}

#[test]
fn files_arrive_whole_in_every_mode() {
    let modes = ["memory", "copy_8k", "copy_1m"];
    let all = ENGINES
        .iter()
        .flat_map(|&(_, start)| modes.map(|mode| (start, mode)));
    for (start, mode) in all.chain([(TOKIO, "sendfile"), (TOKIO, "mmap")]) {
        let server = Server::start(start, mode, 1);
        let mut expected = b"<".to_vec();
        expected.extend_from_slice(&server.script.memory[1..]);
        expected.extend_from_slice(b"r<end");
        assert!(server.ask(b"fr") == expected, "{mode}");
    }
}

#[test]
fn a_file_shorter_than_promised_ends_the_connection() {
    for (start, mode) in [
        (TOKIO, "copy_64k"),
        (TOKIO, "sendfile"),
        (ENGINES[1].1, "copy_64k"),
        (ENGINES[2].1, "copy_64k"),
    ] {
        let server = Server::start(start, mode, 1);
        let mut client = server.connect();
        client.write_all(b"x").unwrap();
        let mut replies = Vec::new();
        // Ended or reset: either way no more than there is.
        let _ = client.read_to_end(&mut replies);
        assert!(replies.len() as u64 <= 1 + server.script.length, "{mode}");
    }
}

#[test]
fn a_file_cut_within_its_last_page_is_not_filled_up() {
    for mode in ["memory", "mmap", "sendfile"] {
        let server = Server::start(TOKIO, mode, 1);
        server
            .script
            .file
            .set_len(server.script.length - 50)
            .unwrap();
        let mut client = server.connect();
        client.write_all(b"f").unwrap();
        let mut replies = Vec::new();
        let _ = client.read_to_end(&mut replies);
        assert!((replies.len() as u64) < server.script.length, "{mode}");
    }
}

#[test]
fn close_lets_the_peer_see_the_last_reply() {
    each_engine(|name, server| {
        let mut client = server.connect();
        // What follows the last request is dropped; unread, it would reset the connection.
        client.write_all(b"c").unwrap();
        client.write_all(&[b'?'; 100_000]).unwrap();
        let mut replies = Vec::new();
        client.read_to_end(&mut replies).unwrap();
        assert_eq!(replies, b"<", "{name}");
    });
}

#[test]
fn time_that_is_up_ends_the_connection_with_a_last_reply() {
    each_engine(|name, server| {
        let mut client = server.connect();
        client.write_all(b"t").unwrap();
        let mut replies = Vec::new();
        client.read_to_end(&mut replies).unwrap();
        assert_eq!(replies, b"<late", "{name}");
    });
}

#[test]
fn time_that_is_up_lets_a_body_that_is_on_its_way_arrive_whole() {
    each_engine(|name, server| {
        let mut client = server.connect();
        // More than both socket buffers hold.
        client.write_all(b"dddddddddd").unwrap();
        let mut first = [0];
        client.read_exact(&mut first).unwrap();
        // The times of others that follow each other: by then its own has come as well.
        for _ in 0..2 {
            let mut other = server.connect();
            other.write_all(b"t").unwrap();
            let mut replies = Vec::new();
            other.read_to_end(&mut replies).unwrap();
            assert_eq!(replies, b"<late", "{name}");
        }
        let mut replies = first.to_vec();
        client.read_to_end(&mut replies).unwrap();
        let body = server.script.memory.len() + 1;
        assert!(replies.len() >= body, "{name}: no whole body");
        assert_eq!(replies.len() % body, 0, "{name}: part of a body");
        assert!(replies.len() < 10 * body, "{name}: the time was not up");
    });
}

#[test]
fn stop_ends_open_idle_and_stalled_connections() {
    each_engine(|name, server| {
        let mut idle: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
        let mut stalled = server.connect();
        // 30 MB of replies that nobody reads fill both socket buffers.
        stalled.write_all(b"llllllllll").unwrap();
        let mut first = [0];
        stalled.read_exact(&mut first).unwrap();
        for client in &mut idle {
            client.write_all(b"r").unwrap();
            client.read_exact(&mut first).unwrap();
        }
        assert_eq!(server.stop()["accepted"], 101, "{name}");
        for client in &mut idle {
            assert!(matches!(client.read(&mut first), Ok(0) | Err(_)), "{name}");
        }
    });
}

#[test]
fn resets_leave_the_server_serving() {
    each_engine(|name, server| {
        for _ in 0..50 {
            let mut client = server.connect();
            // Closed with unread replies, the kernel sends a reset.
            client.write_all(b"ll").unwrap();
        }
        assert_eq!(server.ask(b"r"), b"r<end", "{name}");
    });
}

#[test]
fn an_impossible_processor_is_an_error_of_the_start() -> io::Result<()> {
    for (name, start) in ENGINES {
        for workers in [1, 2] {
            let serve = ServeOptions {
                workers,
                cpus: vec![1_000_000],
                ..ServeOptions::local(Settings::default())
            };
            let options = EngineOptions::new(&serve).unwrap();
            let error = start(Script::new(10), &options).err();
            assert!(
                matches!(error, Some(StartError::Io { .. })),
                "{name}: {error:?}"
            );
        }
    }
    Ok(())
}
