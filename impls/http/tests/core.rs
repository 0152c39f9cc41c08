//! The core as a function: bytes and time in, bytes and steps out, over a real document root.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::os::unix::fs::symlink;
use std::path::Path;

use proptest::prelude::*;
use ringside_engine::{BodyMode, Content, Protocol, Step, Tick};
use ringside_http::{Connection, Http, HttpLimits};
use tempfile::TempDir;

/// A server over a root with a few files, and what comes out of it.
struct Bench {
    root: TempDir,
    http: Http,
}

impl Bench {
    fn new(body: BodyMode) -> Self {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("dir")).unwrap();
        std::fs::write(outer.path().join("secret"), "secret").unwrap();
        std::fs::write(root.join("a.txt"), "0123456789").unwrap();
        std::fs::write(root.join("empty"), "").unwrap();
        std::fs::write(root.join("large"), vec![b'x'; 300_000]).unwrap();
        std::fs::write(root.join("dir/index.html"), "<p>").unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink("a.txt", root.join("in")).unwrap();
        let http = Http::new(&root, body, HttpLimits::default()).unwrap();
        Self { root: outer, http }
    }

    fn path(&self) -> std::path::PathBuf {
        self.root.path().join("root")
    }

    /// What one connection answers to `input`, given in pieces of `piece` bytes as an engine gives
    /// them; ends with `closed` when the core closed.
    fn talk(&self, input: &[u8], piece: usize) -> (String, bool) {
        let mut connection = self.http.open(0);
        let (answer, closed) = drive(&self.http, &mut connection, input, piece, 1);
        (String::from_utf8(answer).unwrap(), closed)
    }

    fn ask(&self, input: &str) -> String {
        self.talk(input.as_bytes(), usize::MAX).0
    }

    /// The status of the only answer to a GET with these header lines.
    fn get(&self, target: &str, lines: &str) -> String {
        self.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n"))
    }

    fn status(&self, target: &str, lines: &str) -> u16 {
        status(&self.get(target, lines))
    }
}

/// The smallest engine: feeds pieces, keeps what was not consumed, reads bodies.
fn drive(
    http: &Http,
    connection: &mut Connection,
    input: &[u8],
    piece: usize,
    now: u64,
) -> (Vec<u8>, bool) {
    let mut answer = Vec::new();
    let mut pending = Vec::new();
    for piece in input.chunks(piece.min(input.len()).max(1)) {
        pending.extend_from_slice(piece);
        loop {
            let progress = http.receive(connection, &pending, now, &mut answer);
            assert!(progress.consumed <= pending.len());
            pending.drain(..progress.consumed);
            match progress.step {
                Step::Read => break,
                Step::Close => return (answer, true),
                Step::Reflect { .. } => panic!("HTTP reflects nothing"),
                Step::Body(body) => append(&body, &mut answer),
            }
        }
    }
    (answer, false)
}

fn append(body: &ringside_engine::Body, answer: &mut Vec<u8>) {
    let (offset, length) = (body.offset as usize, body.length as usize);
    assert!(length > 0, "an empty body is no step");
    match &body.content {
        Content::Memory(bytes) => answer.extend_from_slice(&bytes[offset..offset + length]),
        Content::File(file) => {
            use std::os::unix::fs::FileExt;
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, body.offset).unwrap();
            answer.extend_from_slice(&bytes);
        }
    }
}

fn status(answer: &str) -> u16 {
    answer[9..12].parse().unwrap()
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn file_comes_with_what_describes_it() {
    for mode in [BodyMode::Memory, BodyMode::Sendfile] {
        let answer = Bench::new(mode).get("/a.txt?x", "");
        assert_eq!(status(&answer), 200);
        assert_eq!(body(&answer), "0123456789");
        assert_eq!(field(&answer, "Content-Length"), Some("10"));
        assert_eq!(
            field(&answer, "Content-Type"),
            Some("text/plain; charset=utf-8")
        );
        assert_eq!(field(&answer, "Connection"), Some("keep-alive"));
        assert_eq!(field(&answer, "Accept-Ranges"), Some("bytes"));
        for date in ["Date", "Last-Modified"] {
            assert!(field(&answer, date).unwrap().ends_with(" GMT"));
        }
        assert!(field(&answer, "ETag").unwrap().starts_with('"'));
    }
}

#[test]
fn head_is_that_of_get_without_a_body() {
    let bench = Bench::new(BodyMode::Memory);
    let get = bench.get("/large", "");
    let head = bench.ask("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(body(&head), "");
    assert_eq!(get.split("\r\n\r\n").next(), head.split("\r\n\r\n").next());
    assert_eq!(
        body(&bench.ask("HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n")),
        ""
    );
}

#[test]
fn paths_stay_below_the_root() {
    let bench = Bench::new(BodyMode::Memory);
    for (target, expected) in [
        ("/a.txt", 200),
        ("/empty", 200),
        ("//./a.txt", 200),
        ("/%61.txt", 200),
        ("/in", 200),
        ("/dir/", 200),
        ("/dir", 200),
        ("http://elsewhere/a.txt", 200),
        ("/", 404),
        ("/none", 404),
        ("/a.txt/", 404),
        ("/out", 404),
        ("/../secret", 400),
        ("/dir/../../secret", 400),
        ("/%2e%2e/secret", 400),
        ("/..%2fsecret", 400),
        ("/a.txt%00", 400),
        ("/%zz", 400),
        ("*", 400),
    ] {
        assert_eq!(bench.status(target, ""), expected, "{target}");
    }
}

#[test]
fn what_is_no_regular_file_is_not_there() {
    let bench = Bench::new(BodyMode::Memory);
    let fifo = bench.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path().join("socket")).unwrap();
    assert_eq!(bench.status("/fifo", ""), 404);
    assert_eq!(bench.status("/socket", ""), 404);
}

#[test]
fn writer_of_a_pipe_is_not_let_go_on() {
    use rustix::fs::{CWD, FileType, Mode, OFlags};
    let bench = Bench::new(BodyMode::Memory);
    let fifo = bench.path().join("fifo");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
    // A reader that asks over and over, and a writer that looks for one all the while.
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for now in 0..2000 {
                let mut connection = bench.http.open(now);
                let request = b"GET /fifo HTTP/1.1\r\nHost: a\r\n\r\n";
                drive(&bench.http, &mut connection, request, 1 << 20, now);
            }
        });
        while !reader.is_finished() {
            let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = rustix::fs::open(&fifo, flags, Mode::empty());
            assert_eq!(opened.err(), Some(rustix::io::Errno::NXIO));
        }
    });
}

#[test]
fn ranges_give_parts() {
    for mode in [BodyMode::Memory, BodyMode::Sendfile] {
        let bench = Bench::new(mode);
        let part = bench.get("/a.txt", "Range: bytes=2-4\r\n");
        assert_eq!((status(&part), body(&part)), (206, "234"));
        assert_eq!(field(&part, "Content-Range"), Some("bytes 2-4/10"));
        assert_eq!(field(&part, "Content-Length"), Some("3"));
        assert_eq!(body(&bench.get("/a.txt", "Range: bytes=-3\r\n")), "789");
        assert_eq!(
            body(&bench.get("/large", "Range: bytes=1-200000\r\n")).len(),
            200_000
        );
        let beyond = bench.get("/a.txt", "Range: bytes=10-\r\n");
        assert_eq!(status(&beyond), 416);
        assert_eq!(field(&beyond, "Content-Range"), Some("bytes */10"));
        assert_eq!(bench.status("/a.txt", "Range: bytes=0-1,3-4\r\n"), 200);
        let head = bench.ask("HEAD /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n");
        assert_eq!(status(&head), 200);
    }
}

#[test]
fn conditions_are_held_against_the_validators() {
    let bench = Bench::new(BodyMode::Memory);
    let first = bench.get("/a.txt", "");
    let etag = field(&first, "ETag").unwrap();
    let date = field(&first, "Last-Modified").unwrap();
    let old = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (lines, expected) in [
        (format!("If-None-Match: {etag}"), 304),
        (format!("If-None-Match: W/{etag}, \"x\""), 304),
        ("If-None-Match: *".to_owned(), 304),
        ("If-None-Match: \"x\"".to_owned(), 200),
        (
            format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}"),
            200,
        ),
        (format!("If-Modified-Since: {date}"), 304),
        (format!("If-Modified-Since: {old}"), 200),
        ("If-Modified-Since: yesterday".to_owned(), 200),
        (format!("If-Unmodified-Since: {old}"), 412),
        (format!("If-Unmodified-Since: {date}"), 200),
        (format!("If-Match: {etag}"), 200),
        ("If-Match: \"x\"".to_owned(), 412),
        (format!("If-Match: W/{etag}"), 412),
        (format!("Range: bytes=0-1\r\nIf-Range: {etag}"), 206),
        ("Range: bytes=0-1\r\nIf-Range: \"x\"".to_owned(), 200),
        (format!("Range: bytes=0-1\r\nIf-Range: {old}"), 200),
        (format!("Range: bytes=0-1\r\nIf-Range: W/{etag}"), 200),
    ] {
        let answer = bench.get("/a.txt", &format!("{lines}\r\n"));
        assert_eq!(status(&answer), expected, "{lines}");
        if expected == 304 {
            assert_eq!(body(&answer), "");
            assert_eq!(field(&answer, "ETag"), Some(etag));
        }
    }
}

#[test]
fn methods_other_than_get_and_head_are_refused() {
    let bench = Bench::new(BodyMode::Memory);
    let answer = bench.ask("POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(
        (status(&answer), field(&answer, "Allow")),
        (405, Some("GET, HEAD"))
    );
    assert_eq!(
        status(&bench.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")),
        405
    );
    assert_eq!(
        status(&bench.ask("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")),
        405
    );
    assert_eq!(
        status(&bench.ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n")),
        501
    );
}

/// Requests that end in a connection that goes on, or not.
#[test]
fn connections_go_on_when_both_sides_know_where_the_next_request_begins() {
    let bench = Bench::new(BodyMode::Memory);
    for (text, closes) in [
        ("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", false),
        (
            "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            true,
        ),
        (
            "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            true,
        ),
        ("GET /a.txt HTTP/1.0\r\n\r\n", true),
        ("GET /large HTTP/1.0\r\n\r\n", true),
        (
            "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            false,
        ),
        ("GET /a.txt HTTP/1.1\r\n\r\n", true),
        ("GET /a.txt HTTP/2.0\r\n", true),
    ] {
        let (answer, closed) = bench.talk(text.as_bytes(), usize::MAX);
        assert_eq!(closed, closes, "{text:?}");
        let expected = if closes { "close" } else { "keep-alive" };
        assert_eq!(field(&answer, "Connection"), Some(expected), "{text:?}");
    }
}

#[test]
fn request_bodies_are_dropped_up_to_the_limit() {
    let bench = Bench::new(BodyMode::Memory);
    let get = |lines: &str, rest: &str| {
        let next = "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n";
        bench.ask(&format!(
            "GET /a.txt HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{rest}{next}"
        ))
    };
    for (lines, rest) in [
        ("Content-Length: 4", "GET "),
        ("Transfer-Encoding: chunked", "4\r\nGET \r\n0\r\n\r\n"),
        ("Expect: 100-continue\r\nContent-Length: 4", "GET "),
    ] {
        let answers = get(lines, rest);
        assert_eq!(
            answers.matches("HTTP/1.1 200 OK").count(),
            2,
            "{lines}: {answers}"
        );
    }
    assert_eq!(status(&get("Content-Length: 1048577", "")), 413);
    assert_eq!(
        status(&get("Transfer-Encoding: chunked", "100001\r\n")),
        413
    );
    assert_eq!(status(&get("Transfer-Encoding: chunked", "x\r\n")), 400);
}

#[test]
fn waiting_client_is_told_to_go_on_or_refused() {
    let bench = Bench::new(BodyMode::Memory);
    let lines = "Host: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    assert_eq!(
        bench.ask(&format!("GET /a.txt HTTP/1.1\r\n{lines}")),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    let (answer, closed) = bench.talk(format!("PUT /a HTTP/1.1\r\n{lines}").as_bytes(), 1 << 20);
    assert_eq!((status(&answer), closed), (405, true));
}

#[test]
fn changed_file_is_seen_within_a_second() {
    let bench = Bench::new(BodyMode::Memory);
    let file = bench.path().join("a.txt");
    let ask = |now| {
        let mut connection = bench.http.open(now);
        let request = b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
        let answer = drive(&bench.http, &mut connection, request, 1 << 20, now).0;
        String::from_utf8(answer).unwrap()
    };
    assert_eq!(body(&ask(0)), "0123456789");
    std::fs::write(&file, "changed").unwrap();
    assert_eq!(body(&ask(999)), "0123456789");
    assert_eq!(body(&ask(1000)), "changed");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(status(&ask(2000)), 404);
}

#[test]
fn slow_clients_are_cut_off() {
    let bench = Bench::new(BodyMode::Sendfile);
    let at = |text: &str, now| {
        let mut connection = bench.http.open(0);
        drive(&bench.http, &mut connection, text.as_bytes(), 1 << 20, 0);
        let mut out = Vec::new();
        let tick = bench.http.tick(&mut connection, now, &mut out);
        (
            tick,
            if out.is_empty() {
                0
            } else {
                status(std::str::from_utf8(&out).unwrap())
            },
        )
    };
    assert_eq!(at("GET / HT", 10_000), (Tick::Keep, 0));
    assert_eq!(at("GET / HT", 10_001), (Tick::Close, 408));
    assert_eq!(at("", 120_000), (Tick::Keep, 0));
    assert_eq!(at("", 120_001), (Tick::Close, 0));
    assert_eq!(
        at("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n", 120_001),
        (Tick::Close, 0)
    );
    let body = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n";
    assert_eq!(at(body, 10_001), (Tick::Close, 408));
    assert_eq!(
        at(&format!("{body}{}", "x".repeat(2000)), 15_000),
        (Tick::Keep, 0)
    );
    assert_eq!(
        at(&format!("{body}{}", "x".repeat(2000)), 16_000),
        (Tick::Close, 408)
    );
}

#[test]
fn body_that_began_fast_must_go_on() {
    let bench = Bench::new(BodyMode::Memory);
    let mut connection = bench.http.open(0);
    let head = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n";
    let request = format!("{head}{}", "x".repeat(500_000));
    drive(&bench.http, &mut connection, request.as_bytes(), 1 << 20, 0);
    let mut out = Vec::new();
    let mut tick = |now| bench.http.tick(&mut connection, now, &mut out);
    assert_eq!(tick(10_500), Tick::Keep);
    assert_eq!(tick(20_500), Tick::Keep);
    assert_eq!(tick(20_501), Tick::Close);
    assert_eq!(status(std::str::from_utf8(&out).unwrap()), 408);
}

#[test]
fn no_deadline_runs_while_replies_wait() {
    let bench = Bench::new(BodyMode::Memory);
    let body = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n";
    for (request, limit) in [("", 120_000), ("GET / HT", 10_000), (body, 10_000)] {
        let mut connection = bench.http.open(0);
        drive(&bench.http, &mut connection, request.as_bytes(), 1 << 20, 0);
        bench.http.held_up(&mut connection, 200_000);
        let mut out = Vec::new();
        let mut tick = |now| bench.http.tick(&mut connection, now, &mut out);
        assert_eq!(tick(200_000 + limit), Tick::Keep);
        assert_eq!(tick(200_001 + limit), Tick::Close);
    }
}

#[test]
fn last_replies_have_half_a_minute_to_leave() {
    let bench = Bench::new(BodyMode::Memory);
    for request in [
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\n\r\n",
    ] {
        let mut connection = bench.http.open(0);
        let (_, closed) = drive(&bench.http, &mut connection, request.as_bytes(), 1 << 20, 5);
        assert!(closed);
        let mut out = Vec::new();
        let mut tick = |now| bench.http.tick(&mut connection, now, &mut out);
        assert_eq!((tick(30_005), tick(30_006)), (Tick::Keep, Tick::Close));
        assert_eq!(out, b"");
    }
}

#[test]
fn refused_head_has_no_body() {
    let bench = Bench::new(BodyMode::Memory);
    for (request, expected) in [
        ("HEAD /a.txt HTTP/1.1\r\n\r\n", 400),
        ("\r\nHEAD /a.txt HTTP/1.1\r\nbad line\r\n\r\n", 400),
        ("HEAD /a.txt HTTP/2.0\r\n\r\n", 505),
        (
            "HEAD /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n",
            413,
        ),
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            400,
        ),
    ] {
        for piece in [1, 1 << 20] {
            let (answer, closed) = bench.talk(request.as_bytes(), piece);
            assert_eq!(
                (status(&answer), body(&answer)),
                (expected, ""),
                "{request}"
            );
            assert!(closed, "{request}");
        }
    }
    let mut connection = bench.http.open(0);
    drive(
        &bench.http,
        &mut connection,
        b"HEAD /a.txt HTTP/1.1\r\n",
        1 << 20,
        0,
    );
    let mut out = Vec::new();
    bench.http.tick(&mut connection, 10_001, &mut out);
    let answer = String::from_utf8(out).unwrap();
    assert_eq!((status(&answer), body(&answer)), (408, ""));
    // The next request on a connection is not a HEAD because the last one was.
    let both = "HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\n\r\n";
    assert!(bench.ask(both).ends_with("400 Bad Request\n"));
}

#[test]
fn client_that_reads_a_body_slowly_is_not_cut_off() {
    let bench = Bench::new(BodyMode::Sendfile);
    let mut connection = bench.http.open(0);
    let mut out = Vec::new();
    let request = b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    let progress = bench.http.receive(&mut connection, request, 0, &mut out);
    assert!(matches!(progress.step, Step::Body(_)));
    assert_eq!(
        bench.http.tick(&mut connection, 1_000_000, &mut out),
        Tick::Keep
    );
    bench
        .http
        .receive(&mut connection, b"", 1_000_000, &mut out);
    assert_eq!(
        bench.http.tick(&mut connection, 1_000_001, &mut out),
        Tick::Keep
    );
}

#[test]
fn root_that_is_no_directory_is_refused() {
    let path = Path::new("/nowhere/at/all");
    assert!(Http::new(path, BodyMode::Memory, HttpLimits::default()).is_err());
}

#[test]
fn more_targets_than_slots_and_entries_are_served() {
    let bench = Bench::new(BodyMode::Memory);
    for round in 0..2 {
        for number in 0..1500 {
            // A name of the same file for each number, by its bits.
            let bits = (0..11).map(|bit| if number >> bit & 1 == 1 { "./" } else { "/" });
            let answer = bench.get(&format!("/{}a.txt", bits.collect::<String>()), "");
            assert_eq!(body(&answer), "0123456789", "round {round}, {number}");
        }
    }
}

/// Several requests in a row, right and wrong ones.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let requests = prop::sample::select(vec![
        "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-3\r\n\r\n",
        "\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "GET /empty HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "GET /a.txt HTTP/1.0\r\n\r\n",
        "GET /a.txt HTTP/1.1\r\nHost: a\r\nbad line\r\n\r\n",
    ]);
    prop::collection::vec(requests, 1..6).prop_map(|requests| requests.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn answers_do_not_depend_on_the_pieces(text in conversation(), piece in 1_usize..40) {
        let bench = Bench::new(BodyMode::Memory);
        let dateless = |(answer, closed): (String, bool)| {
            let lines: Vec<_> = answer.lines().filter(|line| !line.starts_with("Date: ")).collect();
            (lines.join("\n"), closed)
        };
        let whole = dateless(bench.talk(&text, usize::MAX));
        prop_assert_eq!(dateless(bench.talk(&text, piece)), whole);
    }
}
