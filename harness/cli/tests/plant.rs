//! Slowdowns on purpose: `serve` of a build with the feature `plant` honours RINGSIDE_PLANT, any other has
//! never heard of it.
#![cfg(all(feature = "measure", target_os = "linux"))]
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::fs::DirEntry;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const VARIABLE: &str = "RINGSIDE_PLANT";
/// A message of echo, and the length of its answer.
const MESSAGE: (&[u8], usize) = (b"message", 7);

/// A server; it ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(id: &str, planted: &str) -> Self {
        let mut child = serve(id, planted).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = ready["addr"].as_str().unwrap().to_owned();
        Self { child, address }
    }

    /// Asks so many times for an answer of `length` bytes. Gives by how much a count of the kernel's rose.
    fn ask(
        &self,
        (request, length): (&[u8], usize),
        times: usize,
        count: impl Fn(u32) -> u64,
    ) -> u64 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        // A missing answer fails the test instead of hanging it.
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        let before = count(self.child.id());
        for _ in 0..times {
            stream.write_all(request).unwrap();
            stream.read_exact(&mut vec![0; length]).unwrap();
        }
        count(self.child.id()) - before
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn serve(id: &str, planted: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ringside"));
    command
        .args(["serve", id, "--listen", "127.0.0.1:0", "--root", "."])
        .env(VARIABLE, planted);
    command
}

/// Threads of a process that hold the planted lock. Not all of its threads: one that was joined may still be listed
/// for a moment.
fn holders(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let name = |task: std::io::Result<DirEntry>| {
        std::fs::read_to_string(task.unwrap().path().join("comm"))
    };
    // A thread that ended in between was none.
    let names = tasks.filter_map(|task| name(task).ok());
    names
        .filter(|name| name.trim_end() == "planted-lock")
        .count() as u64
}

/// System calls of a process that wrote to what is no socket, where the kernel counts them.
#[cfg(feature = "plant")]
fn writes(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("syscw: "))?;
    line.parse().ok()
}

#[cfg(feature = "plant")]
#[test]
fn what_was_planted_is_done_for_each_operation_of_each_service() {
    let http = b"GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mqtt = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a\x30\x05\0\x01t..\xc0\0";
    for (id, request, length, operations) in [
        ("echo/epoll", &b"message"[..], 7, 1),
        ("http/epoll", http, 20, 1),
        ("mqtt/epoll", mqtt, 6, 2),
    ] {
        for (planted, least) in [("io:00100000000", 100), ("none:00000000000", 0)] {
            let server = Server::start(id, planted);
            if writes(server.child.id()).is_none() {
                continue;
            }
            let rose = server.ask((request, length), 1, |process| writes(process).unwrap());
            let least = least * operations;
            assert!(
                (least..least + 50).contains(&rose),
                "{id} {planted}: {rose}"
            );
        }
    }
}

/// A worker does it too, for each operation that it is told to do.
#[cfg(feature = "plant")]
#[test]
fn what_was_planted_is_done_for_each_operation_of_a_worker() {
    let prepare = r#"{"prepare":{"threads":1,"batch":10,"seed":1,"task":{"family":"hash","keys":{"length":8,"mixed":false,"chained":false}}}}"#;
    let run = r#"{"run":{"warmup_ns":0,"measure_ns":1000000,"rate_per_s":null,"poisson":false,"seed":1}}"#;
    for (planted, writes_each) in [("io:00100000000", 100), ("none:00000000000", 0)] {
        let server = Server::start("hash/fnv1a", planted);
        let process = server.child.id();
        let stream = TcpStream::connect(&server.address).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap());
        let mut told = |order: &str| {
            (&stream)
                .write_all(format!("{order}\n").as_bytes())
                .unwrap();
            let mut line = String::new();
            answers.read_line(&mut line).unwrap();
            serde_json::from_str::<serde_json::Value>(&line).unwrap()
        };
        assert_eq!(told(prepare), "done");
        let Some(before) = writes(process) else {
            return;
        };
        let report = told(run);
        let rose = writes(process).unwrap() - before;
        let operations = report["ran"]["threads"][0]["operations"].as_u64();
        let expected = operations.unwrap() * writes_each;
        assert!(expected > 0 || writes_each == 0, "{report}");
        // Batches before what is measured have it too.
        let most = expected * 3 + 20 * writes_each + 50;
        assert!((expected..most).contains(&rose), "{rose}, not {expected}");
    }
}

#[cfg(feature = "plant")]
#[test]
fn only_the_lock_has_a_thread() {
    for (planted, more) in [
        ("none:00000000000", 0),
        ("processor:00001000000", 0),
        ("lock:00000500000", 1),
    ] {
        let server = Server::start("echo/epoll", planted);
        assert_eq!(server.ask(MESSAGE, 10, holders), more, "{planted}");
    }
}

#[cfg(feature = "plant")]
#[test]
fn another_form_is_bad_usage_and_told_the_right_one() {
    let output = serve("echo/epoll", "io:5").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("RINGSIDE_PLANT=io:5: expected KIND:UNITS"),
        "{said}"
    );
}

#[cfg(not(feature = "plant"))]
#[test]
fn a_build_without_the_feature_does_not_know_the_variable() {
    for planted in ["no such kind", "lock:00001000000"] {
        let server = Server::start("echo/epoll", planted);
        assert_eq!(server.ask(MESSAGE, 10, holders), 0);
    }
    let program = std::fs::read(assert_cmd::cargo::cargo_bin!("ringside")).unwrap();
    let name = VARIABLE.as_bytes();
    assert!(!program.windows(name.len()).any(|bytes| bytes == name));
}

#[cfg(feature = "plant")]
#[test]
fn a_null_build_that_is_the_same_file_is_code_2() {
    let out = tempfile::tempdir().unwrap();
    let own = env!("CARGO_BIN_EXE_ringside");
    let output = Command::new(own)
        .args(["gate", "selftest", "--null", own, "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("byte for byte"), "{said}");
}
