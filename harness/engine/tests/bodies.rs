//! Bodies, closing and deadlines, the same on every readiness, thread and ring engine and in every
//! body mode that it has, over real sockets and a small protocol of lines.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use ringside_contract::{ServeOptions, Service, Settings, StartError};
use ringside_engine::uring::RingSettings;
use ringside_engine::{
    Body, Content, EngineOptions, Millis, PerCoreListen, Progress, Protocol, Step, Tick, blocking,
    blocking_pool, epoll, per_core_epoll, per_core_uring, uring,
};

/// `file OFFSET LENGTH`, `memory OFFSET LENGTH`: `head:` and that part of the content.
/// `close`: `bye`, then the end. `doom`: nothing, and at the next tick `late`, then the end;
/// `doom file OFFSET LENGTH` and so on: the same behind that body.
struct Shop {
    file: Arc<File>,
    memory: Arc<[u8]>,
}

impl Protocol for Shop {
    /// Whether it is doomed.
    type Connection = bool;

    fn open(&self, _now: Millis) -> bool {
        false
    }

    fn receive(&self, doomed: &mut bool, input: &[u8], _: Millis, out: &mut Vec<u8>) -> Progress {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
            return Progress {
                consumed: 0,
                step: Step::Read,
            };
        };
        let line = std::str::from_utf8(&input[..end]).unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let words = match &words[..] {
            ["doom", words @ ..] if !words.is_empty() => {
                *doomed = true;
                words
            }
            words => words,
        };
        let step = match *words {
            ["close"] => {
                out.extend_from_slice(b"bye");
                Step::Close
            }
            ["doom"] => {
                *doomed = true;
                Step::Read
            }
            [place, offset, length] => {
                out.extend_from_slice(b"head:");
                let content = match place {
                    "file" => Content::File(Arc::clone(&self.file)),
                    _ => Content::Memory(Arc::clone(&self.memory)),
                };
                let (offset, length) = (offset.parse().unwrap(), length.parse().unwrap());
                Step::Body(Body {
                    content,
                    offset,
                    length,
                })
            }
            _ => panic!("no such line: {line}"),
        };
        Progress {
            consumed: end + 1,
            step,
        }
    }

    fn half_closed(&self, _: &mut bool, out: &mut Vec<u8>) {
        out.extend_from_slice(b"closed");
    }

    fn tick(&self, doomed: &mut bool, _: Millis, out: &mut Vec<u8>) -> Tick {
        if *doomed {
            out.extend_from_slice(b"late");
            Tick::Close
        } else {
            Tick::Keep
        }
    }
}

type Start = fn(Shop, &EngineOptions) -> Result<Box<dyn Service>, StartError>;

const ENGINES: &[(&str, Start)] = &[
    ("blocking", blocking::start),
    ("blocking_pool", blocking_pool::start),
    ("epoll", epoll::start),
    ("per_core_epoll", |shop, options| {
        per_core_epoll::start(shop, options, PerCoreListen::ReusePort)
    }),
    ("uring", |shop, options| uring::start(shop, options, &RING)),
    ("uring[multishot=off]", |shop, options| {
        uring::start(
            shop,
            options,
            &RingSettings {
                multishot: false,
                ..RING
            },
        )
    }),
    ("uring[buffers=owned]", |shop, options| {
        uring::start(
            shop,
            options,
            &RingSettings {
                provided: false,
                ..RING
            },
        )
    }),
    ("uring[defer_taskrun=off]", |shop, options| {
        uring::start(
            shop,
            options,
            &RingSettings {
                defer_taskrun: false,
                ..RING
            },
        )
    }),
    ("uring[sqpoll=on]", |shop, options| {
        uring::start(
            shop,
            options,
            &RingSettings {
                sqpoll: true,
                ..RING
            },
        )
    }),
    ("uring[files=plain]", |shop, options| {
        uring::start(
            shop,
            options,
            &RingSettings {
                fixed: false,
                ..RING
            },
        )
    }),
    ("uring[wait=first]", |shop, options| {
        uring::start(
            shop,
            options,
            &RingSettings {
                moderate: false,
                ..RING
            },
        )
    }),
    ("per_core_uring", |shop, options| {
        per_core_uring::start(shop, options, &RING, PerCoreListen::ReusePort)
    }),
];

const RING: RingSettings = RingSettings {
    multishot: true,
    provided: true,
    defer_taskrun: true,
    sqpoll: false,
    fixed: true,
    moderate: true,
    depth: 1024,
};

/// A ring has neither of two modes and one of its own. Its axes are checked with one mode of each kind.
fn has_mode(engine: &str, mode: &str) -> bool {
    match mode {
        "copy_8k" | "copy_256k" | "copy_1m" | "mmap" if engine.contains('[') => false,
        "sendfile" | "msg_zerocopy" => !engine.contains("uring"),
        "send_zc" => engine.contains("uring"),
        _ => true,
    }
}

const MODES: &[&str] = &[
    "memory",
    "copy_8k",
    "copy_64k",
    "copy_256k",
    "copy_1m",
    "mmap",
    "sendfile",
    "splice",
    "msg_zerocopy",
    "send_zc",
];

const CONTENT: usize = 8_000_000;

fn content() -> Vec<u8> {
    (0..CONTENT)
        .map(|index| (index * 7 + index / 251) as u8)
        .collect()
}

/// Checks one behaviour on every engine with these modes. The file is the server's own: a check may
/// cut it.
fn check(modes: &[&str], behaviour: impl Fn(SocketAddr, &File)) {
    let content: Arc<[u8]> = content().into();
    for (name, start) in ENGINES {
        for mode in modes.iter().filter(|mode| has_mode(name, mode)) {
            eprintln!("checking {name}[body={mode}]");
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&content).unwrap();
            let file = Arc::new(file);
            let shop = Shop {
                file: Arc::clone(&file),
                memory: Arc::clone(&content),
            };
            let service = match start(shop, &options(mode)) {
                Ok(service) => service,
                // Such as in a container without io_uring. Not by `eprintln!`, which the test
                // runner keeps to itself when a test passes.
                Err(error @ StartError::Unsupported { .. }) => {
                    let _ = writeln!(io::stderr(), "skipped {name}: {error}");
                    continue;
                }
                Err(error) => panic!("{name}[body={mode}]: {error}"),
            };
            behaviour(service.endpoint().addresses[0], &file);
            let counters = service.stop().unwrap();
            assert_eq!(
                counters["accepted"], counters["closed"],
                "{name}[body={mode}]"
            );
        }
    }
}

fn options(mode: &str) -> EngineOptions {
    let mut axes = Settings::default();
    axes.set("body", mode);
    EngineOptions::new(&ServeOptions::local(axes)).unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut came = vec![0; expected.len()];
    stream.read_exact(&mut came).unwrap();
    assert!(
        came == expected,
        "other bytes came than the {} expected",
        expected.len()
    );
}

fn expect_part(stream: &mut TcpStream, content: &[u8], offset: usize, length: usize) {
    expect(stream, b"head:");
    expect(stream, &content[offset..offset + length]);
}

const PARTS: &[(&str, usize, usize)] = &[
    ("file", 0, 0),
    ("file", 5, 1),
    ("memory", 0, 0),
    ("memory", 7, 100),
    ("file", 4095, 4097),
    ("file", 1, 16_384),
    ("file", 1, 16_385),
    ("memory", 3, 200_000),
    ("file", 123_456, 3_000_000),
    ("file", 0, 64),
    ("memory", 1_000, 5_000_000),
    ("file", 7_999_999, 1),
    ("memory", 8_000_000, 0),
];

#[test]
fn pipelined_bodies_come_whole_and_in_order() {
    let content = content();
    check(MODES, |address, _| {
        let mut stream = connect(address);
        for _ in 0..2 {
            let lines: String = PARTS
                .iter()
                .map(|(place, o, l)| format!("{place} {o} {l}\n"))
                .collect();
            stream.write_all(lines.as_bytes()).unwrap();
            for &(_, offset, length) in PARTS {
                expect_part(&mut stream, &content, offset, length);
            }
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut end = String::new();
        stream.read_to_string(&mut end).unwrap();
        assert_eq!(end, "closed");
    });
}

#[test]
fn lines_split_at_every_byte_are_answered() {
    let content = content();
    check(&["memory", "sendfile"], |address, _| {
        let mut stream = connect(address);
        for byte in b"file 10 300000\nmemory 10 10\n" {
            stream.write_all(&[*byte]).unwrap();
        }
        expect_part(&mut stream, &content, 10, 300_000);
        expect_part(&mut stream, &content, 10, 10);
    });
}

#[test]
fn input_longer_than_the_read_buffer_is_kept_whole() {
    check(&["memory"], |address, _| {
        let mut stream = connect(address);
        // A line of 300 KB: more than any engine's read buffer.
        let line = format!("memory 0 {}3\n", "0".repeat(300_000));
        stream.write_all(line.as_bytes()).unwrap();
        expect(&mut stream, b"head:");
        expect(&mut stream, &content()[..3]);
    });
}

#[test]
fn a_peer_that_does_not_read_its_body_holds_up_nobody() {
    let content = content();
    check(MODES, |address, _| {
        let mut slow: Vec<TcpStream> = (0..3).map(|_| connect(address)).collect();
        for stream in &mut slow {
            stream
                .write_all(b"file 0 8000000\nmemory 0 8000000\n")
                .unwrap();
        }
        let mut quick = connect(address);
        for _ in 0..20 {
            quick.write_all(b"file 100 2000\n").unwrap();
            expect_part(&mut quick, &content, 100, 2000);
        }
        for stream in &mut slow {
            expect_part(stream, &content, 0, CONTENT);
            expect_part(stream, &content, 0, CONTENT);
        }
    });
}

#[test]
fn a_half_closed_peer_gets_its_body() {
    let content = content();
    check(MODES, |address, _| {
        let mut stream = connect(address);
        stream.write_all(b"file 0 8000000\nfile 1 5\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        expect_part(&mut stream, &content, 0, CONTENT);
        expect_part(&mut stream, &content, 1, 5);
        expect(&mut stream, b"closed");
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    });
}

#[test]
fn a_file_cut_while_it_is_sent_ends_the_connection() {
    check(MODES, |address, file| {
        let mut stream = connect(address);
        stream.write_all(b"file 0 8000000\n").unwrap();
        expect(&mut stream, b"head:");
        file.set_len(1000).unwrap();
        let mut came = Vec::new();
        // The end or a reset, but no padding and no waiting.
        match stream.read_to_end(&mut came) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
        assert!(came.len() <= CONTENT);
        // A request for what is no longer there ends its connection too; others go on.
        let mut stream = connect(address);
        stream.write_all(b"file 5000 500\n").unwrap();
        let ended = match stream.read_to_end(&mut came) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        };
        assert!(ended);
        let mut stream = connect(address);
        stream.write_all(b"file 0 500\n").unwrap();
        expect(&mut stream, b"head:");
        expect(&mut stream, &content()[..500]);
    });
}

#[test]
fn a_file_cut_within_its_last_page_is_not_filled_up() {
    check(MODES, |address, file| {
        file.set_len(3000).unwrap();
        let mut stream = connect(address);
        stream.write_all(b"file 0 3000\n").unwrap();
        expect_part(&mut stream, &content(), 0, 3000);
        file.set_len(100).unwrap();
        stream.write_all(b"file 0 3000\n").unwrap();
        let mut came = Vec::new();
        if let Err(error) = stream.read_to_end(&mut came) {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        assert!(came.len() < 5 + 3000, "a whole body came of a cut file");
    });
}

#[test]
fn a_peer_gone_in_the_middle_of_a_body_leaves_the_others_alone() {
    let content = content();
    check(MODES, |address, _| {
        for _ in 0..5 {
            let mut stream = connect(address);
            stream.write_all(b"file 0 8000000\n").unwrap();
            expect(&mut stream, b"head:");
        }
        let mut stream = connect(address);
        stream.write_all(b"file 0 1000000\n").unwrap();
        expect_part(&mut stream, &content, 0, 1_000_000);
    });
}

#[test]
fn the_last_reply_arrives_although_more_was_sent() {
    check(&["memory"], |address, _| {
        for _ in 0..20 {
            let mut stream = connect(address);
            stream.write_all(b"memory 0 10\nclose\n").unwrap();
            // What comes behind the last request must not turn the reply into a reset.
            stream.write_all(&[b'x'; 100_000]).unwrap();
            expect(&mut stream, b"head:");
            expect(&mut stream, &content()[..10]);
            let mut end = String::new();
            stream.read_to_string(&mut end).unwrap();
            assert_eq!(end, "bye");
        }
    });
}

#[test]
fn a_deadline_sends_its_last_words() {
    check(&["memory"], |address, _| {
        let mut stream = connect(address);
        stream.write_all(b"doom\n").unwrap();
        let mut end = String::new();
        stream.read_to_string(&mut end).unwrap();
        assert_eq!(end, "late");
    });
}

#[test]
fn a_deadline_lets_a_body_that_is_on_its_way_arrive_whole() {
    let content = content();
    check(&["memory"], |address, _| {
        let mut stream = connect(address);
        stream.write_all(b"doom memory 0 8000000\n").unwrap();
        expect(&mut stream, b"head:");
        // Deadlines of others that follow each other: by then its own has come as well.
        for _ in 0..2 {
            let mut other = connect(address);
            other.write_all(b"doom\n").unwrap();
            expect(&mut other, b"late");
        }
        expect(&mut stream, &content);
        let mut end = String::new();
        stream.read_to_string(&mut end).unwrap();
        assert!(["", "late"].contains(&end.as_str()), "{end}");
    });
}

#[test]
fn modes_of_another_kind_of_engine_are_refused() {
    for (name, start) in ENGINES {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let shop = Shop {
            file,
            memory: Arc::from(&b""[..]),
        };
        let mode = if has_mode(name, "send_zc") {
            "sendfile"
        } else {
            "send_zc"
        };
        let refused = start(shop, &options(mode));
        assert!(matches!(refused, Err(StartError::Option { .. })), "{name}");
    }
}
