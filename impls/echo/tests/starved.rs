//! What the engines do when no descriptor is left: nobody is dropped, and nothing spins.
//!
//! A file of its own, since the servers run in processes of their own with a low limit: the test
//! starts itself again for each.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use ringside_contract::{Implementation, ServeOptions, Settings};
use ringside_metal::SmallTable;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Set for the process that is to serve this implementation.
const ROLE: &str = "RINGSIDE_STARVED_SERVER";

/// Descriptors that a server may have: enough to start, far fewer than there are clients.
const LIMIT: u64 = 64;

const CLIENTS: usize = 200;

/// The engines that accept with descriptors; rings keep connections in tables of their own.
const ENGINES: &[&str] = &[
    "echo/blocking",
    "echo/blocking_pool",
    "echo/epoll",
    "echo/per_core_epoll",
    "echo/floor",
];

/// Those of them that take a second loop, with a table of its own. With so low a limit they take no third.
const FURTHER_TABLES: &[&str] = &["echo/epoll", "echo/per_core_epoll"];

/// Tried in a thread that ends, since it cannot be taken back.
fn has_small_tables() -> bool {
    let tried = std::thread::spawn(|| SmallTable::enter(&[]).is_ok());
    tried.join().unwrap()
}

#[test]
fn clients_wait_without_spinning_until_descriptors_are_free() {
    if let Ok(id) = std::env::var(ROLE) {
        serve(&id);
        return;
    }
    for id in ENGINES {
        eprintln!("checking {id}");
        let mut server = Server::start(id);
        let further_tables = FURTHER_TABLES.contains(id) && has_small_tables();
        starve(&mut server, further_tables);
        server.stop();
    }
}

fn starve(server: &mut Server, further_tables: bool) {
    let message = [b'm'; 64];
    let mut clients: Vec<TcpStream> = (0..CLIENTS)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(&message).unwrap();
            stream
        })
        .collect();
    // One that has no place in the first table is served where there is another table.
    let mut beyond = clients.remove(LIMIT as usize + 16);
    if further_tables {
        answer(&mut beyond, &message);
    }
    // The first is served; the last waits, and while it waits the server sleeps.
    answer(&mut clients[0], &message);
    let last = clients.last_mut().unwrap();
    last.set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert_eq!(
        last.read(&mut [0; 64]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    let before = server.processor_time();
    last.set_read_timeout(Some(Duration::from_millis(600)))
        .unwrap();
    assert_eq!(
        last.read(&mut [0; 64]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    let used = server.processor_time() - before;
    assert!(
        used < Duration::from_millis(150),
        "it used {used:?} of 600 ms for nothing"
    );
    // Everybody is answered once others have left. The first has had its answer.
    let mut rest = clients.into_iter();
    drop(rest.next());
    for mut client in rest {
        answer(&mut client, &message);
    }
}

fn answer(client: &mut TcpStream, message: &[u8]) {
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut came = [0; 64];
    client.read_exact(&mut came).unwrap();
    assert_eq!(came[..], *message);
}

struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start(id: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "clients_wait_without_spinning_until_descriptors_are_free",
            ])
            .arg("--nocapture")
            .env(ROLE, id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        // The test runner's own lines come before.
        let address = loop {
            let mut line = String::new();
            assert!(
                output.read_line(&mut line).unwrap() > 0,
                "{id} gave no address"
            );
            if let Some(address) = line.strip_prefix("address ") {
                break address.trim().parse().unwrap();
            }
        };
        Self {
            process,
            output,
            address,
        }
    }

    fn processor_time(&self) -> Duration {
        Duration::from_nanos(ringside_metal::process_cpu_ns(self.process.id()).unwrap())
    }

    fn stop(mut self) {
        drop(self.process.stdin.take());
        // The test runner there still prints its result.
        std::io::copy(&mut self.output, &mut std::io::sink()).unwrap();
        assert!(self.process.wait().unwrap().success());
    }
}

/// The server's side: prints where it listens, and serves until its standard input ends.
fn serve(id: &str) {
    let implementation = *ringside_echo::all()
        .iter()
        .find(|one| one.meta().id == id)
        .unwrap();
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(LIMIT),
            maximum,
        },
    )
    .unwrap();
    let service = implementation.start(&options(implementation)).unwrap();
    println!("\naddress {}", service.endpoint().addresses[0]);
    let _ = std::io::stdin().read(&mut [0]);
    service.stop().unwrap();
}

fn options(implementation: &dyn Implementation) -> ServeOptions {
    ServeOptions {
        workers: 1,
        ..ServeOptions::local(implementation.meta().resolve(&Settings::default()).unwrap())
    }
}
