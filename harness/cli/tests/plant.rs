//! Slowdowns on purpose: `serve` of a build with the feature `plant` honours RINGSIDE_PLANT, any other has
//! never heard of it.
#![cfg(all(feature = "measure", target_os = "linux"))]
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const VARIABLE: &str = "RINGSIDE_PLANT";

/// A server of echo; it ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(planted: &str) -> Self {
        let mut child = serve(planted).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = ready["addr"].as_str().unwrap().to_owned();
        Self { child, address }
    }

    /// Takes so many messages there and back. Gives a count of the kernel's before and after.
    fn echo(&self, messages: usize, count: impl Fn(u32) -> u64) -> u64 {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let before = count(self.child.id());
        for _ in 0..messages {
            stream.write_all(b"message").unwrap();
            stream.read_exact(&mut [0; 7]).unwrap();
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

fn serve(planted: &str) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ringside"));
    command
        .args(["serve", "echo/epoll", "--listen", "127.0.0.1:0"])
        .env(VARIABLE, planted);
    command
}

/// Threads of a process.
fn threads(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks.count() as u64
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
fn what_was_planted_is_done_for_each_message() {
    let server = Server::start("io:00003000");
    if writes(server.child.id()).is_some() {
        assert!(server.echo(100, |process| writes(process).unwrap()) >= 300);
    }
    let server = Server::start("none:00000000");
    if writes(server.child.id()).is_some() {
        assert!(server.echo(100, |process| writes(process).unwrap()) < 300);
    }
    assert_eq!(server.echo(10, threads), 0);
    let server = Server::start("lock:00000500");
    assert_eq!(server.echo(10, threads), 1, "the thread with the lock");
    let server = Server::start("processor:00001000");
    assert_eq!(server.echo(10, threads), 0);
}

#[cfg(feature = "plant")]
#[test]
fn another_form_is_bad_usage_and_told_the_right_one() {
    let output = serve("io:5").output().unwrap();
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
    let server = Server::start("no such kind");
    assert_eq!(server.echo(10, threads), 0);
    let server = Server::start("lock:00001000");
    assert_eq!(server.echo(10, threads), 0);
    let program = std::fs::read(assert_cmd::cargo::cargo_bin!("ringside")).unwrap();
    let name = VARIABLE.as_bytes();
    assert!(!program.windows(name.len()).any(|bytes| bytes == name));
}
