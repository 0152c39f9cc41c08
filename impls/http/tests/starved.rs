//! What the servers answer when connections have taken every descriptor: files, not 503.
//!
//! A file of its own, since the servers run in processes of their own with a low limit: the test
//! starts itself again for each.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use ringside_contract::{Implementation, ServeOptions, Settings, Support};
use ringside_metal::SmallTable;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set for the process that is to serve: the place in [`SERVERS`].
const ROLE: &str = "RINGSIDE_STARVED_HTTP_SERVER";

/// Set for the process that is to serve: its document root.
const ROOT: &str = "RINGSIDE_STARVED_HTTP_ROOT";

/// Descriptors that a server may have: enough to start, far fewer than there are clients.
const LIMIT: u64 = 64;

const CLIENTS: usize = 120;

/// Longer than a document counts as fresh, so that the server wants to look at it again.
const STALE: Duration = Duration::from_millis(1100);

/// Engines that accept with descriptors, with the axis value that makes it so. Rings of direct
/// descriptors keep connections in tables of their own.
const SERVERS: &[(&str, &[(&str, &str)])] = &[
    ("http/blocking", &[]),
    ("http/blocking_pool", &[]),
    ("http/epoll", &[]),
    ("http/epoll", &[("body", "sendfile")]),
    ("http/tokio", &[]),
    ("http/uring", &[("files", "plain")]),
    ("http/compio", &[]),
];

#[test]
fn files_are_served_while_no_descriptor_is_free() {
    if let Ok(index) = std::env::var(ROLE) {
        serve(index.parse().unwrap());
        return;
    }
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("known"), "known").unwrap();
    std::fs::write(root.path().join("other"), "other").unwrap();
    for (index, (id, axes)) in SERVERS.iter().enumerate() {
        let (implementation, axes) = find(id, axes);
        let uring = ringside_metal::uring_probe::probe();
        let host = ringside_contract::Host {
            uring,
            ..ringside_metal::host::probe()
        };
        if let Support::No { reason } = implementation.support(&host, &axes) {
            eprintln!("skipped {id}: {reason}");
            continue;
        }
        eprintln!("checking {id} {axes:?}");
        let server = Server::start(index, root.path());
        starve(server.address, *id == "http/epoll" && has_small_tables());
        server.stop();
    }
}

/// Tried in a thread that ends, since it cannot be taken back.
fn has_small_tables() -> bool {
    let tried = std::thread::spawn(|| SmallTable::enter(&[]).is_ok());
    tried.join().unwrap()
}

fn starve(address: SocketAddr, further_table: bool) {
    let mut clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(&request("known")).unwrap();
            stream
        })
        .collect();
    answer(&mut clients[0], "known");
    let last = clients.last_mut().unwrap();
    last.set_read_timeout(Some(STALE)).unwrap();
    let waits = last.read(&mut [0; 64]).unwrap_err().kind();
    assert_eq!(waits, ErrorKind::WouldBlock, "the limit was not reached");
    for name in ["known", "other", "known"] {
        clients[0].write_all(&request(name)).unwrap();
        answer(&mut clients[0], name);
    }
    if further_table {
        // The second loop, for which there is no place in the first table, has files of its own.
        let mut beyond = clients.remove(LIMIT as usize);
        answer(&mut beyond, "known");
        for name in ["other", "known"] {
            beyond.write_all(&request(name)).unwrap();
            answer(&mut beyond, name);
        }
    }
    // The others get the file as well, in turn, once some have left.
    for mut client in clients.drain(1..) {
        answer(&mut client, "known");
    }
}

fn request(name: &str) -> Vec<u8> {
    format!("GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

/// Takes the answer with the file of this name, which is its content.
fn answer(client: &mut TcpStream, name: &str) {
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut came = Vec::new();
    let mut byte = [0];
    while !came.ends_with(format!("\r\n\r\n{name}").as_bytes()) {
        let count = client.read(&mut byte).unwrap();
        let text = String::from_utf8_lossy(&came);
        assert!(count > 0 && came.len() < 1000, "{name}: {text:?}");
        came.push(byte[0]);
    }
    assert!(came.starts_with(b"HTTP/1.1 200 "), "{name}: {came:?}");
}

fn find(id: &str, axes: &[(&str, &str)]) -> (&'static dyn Implementation, Settings) {
    let all = ringside_http::all();
    let implementation = *all.iter().find(|one| one.meta().id == id).unwrap();
    let mut settings = Settings::default();
    for (name, value) in axes {
        settings.set(name, value);
    }
    let settings = implementation.meta().resolve(&settings).unwrap();
    (implementation, settings)
}

struct Server {
    process: Child,
    input: ChildStdin,
    address: SocketAddr,
}

impl Server {
    fn start(index: usize, root: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "files_are_served_while_no_descriptor_is_free"])
            .arg("--nocapture")
            .env(ROLE, index.to_string())
            .env(ROOT, root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let input = process.stdin.take().unwrap();
        // The test runner's own lines come before.
        let address = loop {
            let mut line = String::new();
            assert!(output.read_line(&mut line).unwrap() > 0, "no address");
            if let Some(address) = line.strip_prefix("address ") {
                break address.trim().parse().unwrap();
            }
        };
        // The test runner there still prints its result.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Self {
            process,
            input,
            address,
        }
    }

    fn stop(mut self) {
        drop(self.input);
        assert!(self.process.wait().unwrap().success());
    }
}

/// The server's side: prints where it listens, and serves until its standard input ends.
fn serve(index: usize) {
    let (id, axes) = SERVERS[index];
    let (implementation, axes) = find(id, axes);
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(LIMIT);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let options = ServeOptions {
        workers: 1,
        root: Some(std::env::var_os(ROOT).unwrap().into()),
        ..ServeOptions::local(axes)
    };
    let service = implementation.start(&options).unwrap();
    println!("\naddress {}", service.endpoint().addresses[0]);
    let _ = std::io::stdin().read(&mut [0]);
    service.stop().unwrap();
}
