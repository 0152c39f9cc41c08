//! What the engines do when a broker has no descriptor left: its clients wait, and none is reset.
//!
//! A file of its own, since the servers run in processes of their own with a low limit: the test starts
//! itself again for each.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use ringside_contract::{Counters, Implementation, ServeOptions, Settings, Support};
use ringside_wire::mqtt::Version;
use ringside_wire::mqtt::encode::{self, Connect};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set for the process that is to serve this implementation.
const ROLE: &str = "RINGSIDE_STARVED_BROKER";

/// Set to its limit of descriptors.
const LIMIT: &str = "RINGSIDE_STARVED_LIMIT";

/// Descriptors that a server may have: enough to start, far fewer than there are clients. One of the two
/// leaves an odd one to an engine that needs two for each connection.
const LIMITS: [u64; 2] = [64, 65];

const CLIENTS: usize = 200;

/// It is long because a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// The engines whose clients all share the table of the process. Others take further loops with tables of
/// their own (`many_tables.rs`).
const ENGINES: &[&str] = &[
    "mqtt/blocking",
    "mqtt/blocking_pool",
    "mqtt/tokio",
    "mqtt/tokio_uring",
    "mqtt/compio",
];

#[test]
fn clients_wait_until_descriptors_are_free_and_none_is_reset() {
    if let Ok(id) = std::env::var(ROLE) {
        serve(&id);
        return;
    }
    let host = ringside_metal::host::probe();
    for id in ENGINES {
        let implementation = implementation(id);
        let axes = options(implementation).axes;
        if let Support::No { reason } = implementation.support(&host, &axes) {
            eprintln!("{id} is left out: {reason}");
            continue;
        }
        for limit in LIMITS {
            eprintln!("checking {id} with {limit} descriptors");
            let server = Server::start(id, limit);
            starve(&server, limit);
            let counters = server.stop();
            assert_eq!(counters["accepted"], CLIENTS as u64, "{id}");
        }
    }
}

/// All of them connect, and the first one leaves when no descriptor is left, but an odd one. The others are
/// served in turn, as those before them leave.
fn starve(server: &Server, limit: u64) {
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(server.address)).collect();
    let began = Instant::now();
    while server.open_files() < limit - 1 {
        assert!(began.elapsed() < PATIENCE, "it has descriptors left");
        std::thread::yield_now();
    }
    for (number, mut client) in clients.into_iter().enumerate() {
        let mut answer = [0; 4];
        let came = client.read_exact(&mut answer);
        assert!(came.is_ok(), "client {number}: {came:?}");
        assert_eq!(answer, [0x20, 2, 0, 0], "client {number}");
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = Vec::new();
    let connect = Connect {
        version: Version::V311,
        clean_start: true,
        keep_alive: 0,
        client: "",
        will: None,
        user_name: None,
        password: None,
        properties: &[],
    };
    encode::connect(&mut bytes, &connect);
    stream.write_all(&bytes).unwrap();
    stream
}

struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start(id: &str, limit: u64) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "clients_wait_until_descriptors_are_free_and_none_is_reset",
            ])
            .arg("--nocapture")
            .env(ROLE, id)
            .env(LIMIT, limit.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let address = value(&mut output, "address ").parse().unwrap();
        Self {
            process,
            output,
            address,
        }
    }

    fn open_files(&self) -> u64 {
        let folder = format!("/proc/{}/fd", self.process.id());
        std::fs::read_dir(folder).unwrap().count() as u64
    }

    fn stop(mut self) -> Counters {
        drop(self.process.stdin.take());
        let names = ["accepted", "accept_pauses"];
        let counters = names.map(|name| {
            let count = value(&mut self.output, &format!("{name} "));
            (name.to_owned(), count.parse().unwrap())
        });
        // The test runner there still prints its result.
        std::io::copy(&mut self.output, &mut std::io::sink()).unwrap();
        assert!(self.process.wait().unwrap().success());
        counters.into()
    }
}

/// What stands behind `name` in the first line that begins with it. The test runner's own lines come before.
fn value(output: &mut impl BufRead, name: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "no {name}came");
        if let Some(value) = line.strip_prefix(name) {
            return value.trim().to_owned();
        }
    }
}

/// The server's side: prints where it listens, serves until its standard input ends, and prints its counters.
fn serve(id: &str) {
    let implementation = implementation(id);
    let limit = std::env::var(LIMIT).unwrap().parse().unwrap();
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(limit),
            maximum,
        },
    )
    .unwrap();
    let service = implementation.start(&options(implementation)).unwrap();
    println!("\naddress {}", service.endpoint().addresses[0]);
    let _ = std::io::stdin().read(&mut [0]);
    let counters = service.stop().unwrap();
    for name in ["accepted", "accept_pauses"] {
        println!("{name} {}", counters[name]);
    }
}

fn implementation(id: &str) -> &'static dyn Implementation {
    *ringside_mqtt::all()
        .iter()
        .find(|one| one.meta().id == id)
        .unwrap()
}

fn options(implementation: &dyn Implementation) -> ServeOptions {
    ServeOptions {
        workers: 1,
        ..ServeOptions::local(implementation.meta().resolve(&Settings::default()).unwrap())
    }
}
