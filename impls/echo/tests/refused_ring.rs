//! What the engines do on a machine that refuses io_uring, as containers do: a filter on system calls
//! plays that machine, in a process of its own, since it cannot be taken off.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use ringside_contract::{Implementation, ServeOptions, Settings, StartError};

const CHILD: &str = "RINGSIDE_REFUSED_RING_CHILD";

#[test]
fn auto_falls_back_to_epoll_and_says_why() {
    in_a_filtered_process("auto_falls_back_to_epoll_and_says_why", || {
        for (workers, engine) in [(1, "epoll"), (2, "per_core_epoll")] {
            let service = implementation("echo/auto")
                .start(&options(workers))
                .unwrap();
            let endpoint = service.endpoint();
            assert!(
                endpoint.chosen.starts_with(&format!("{engine}: no ring: ")),
                "{endpoint:?}"
            );
            assert!(
                endpoint.chosen.contains("Operation not permitted"),
                "{endpoint:?}"
            );
            let mut stream = TcpStream::connect(endpoint.addresses[0]).unwrap();
            stream.write_all(b"fallen back").unwrap();
            let mut came = [0; 11];
            stream.read_exact(&mut came).unwrap();
            assert_eq!(&came, b"fallen back");
            drop(stream);
            assert_eq!(service.stop().unwrap()["accepted"], 1);
        }
    });
}

#[test]
fn runtimes_on_a_ring_refuse_to_start_and_say_why() {
    in_a_filtered_process("runtimes_on_a_ring_refuse_to_start_and_say_why", || {
        for id in ["echo/tokio_uring", "echo/compio"] {
            let error = implementation(id).start(&options(1)).err().unwrap();
            assert!(
                matches!(error, StartError::Unsupported { .. }),
                "{id}: {error:?}"
            );
            assert!(
                error.to_string().contains("io_uring is refused"),
                "{id}: {error}"
            );
        }
    });
}

#[test]
fn auto_takes_a_ring_where_the_ring_engine_starts() {
    let ring = implementation("echo/uring").start(&options(1)).is_ok();
    let service = implementation("echo/auto").start(&options(1)).unwrap();
    let chosen = &service.endpoint().chosen;
    assert_eq!(chosen.starts_with("uring: "), ring, "{chosen}");
    service.stop().unwrap();
}

/// Runs `check` of the test `name` in a child that may set up no ring.
fn in_a_filtered_process(name: &str, check: impl Fn()) {
    if std::env::var_os(CHILD).is_some() {
        ringside_metal::seccomp::refuse_io_uring().unwrap();
        return check();
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn implementation(id: &str) -> &'static dyn Implementation {
    *ringside_echo::all()
        .iter()
        .find(|known| known.meta().id == id)
        .unwrap()
}

fn options(workers: usize) -> ServeOptions {
    ServeOptions {
        workers,
        ..ServeOptions::local(Settings::default())
    }
}
