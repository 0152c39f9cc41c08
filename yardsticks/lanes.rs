//! The client: on each lane it sends the same bytes again and again, and waits for an answer of the same length.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::case::Case;
use crate::server::Server;

/// What is sent on one connection and answered on the same or another one.
#[derive(Debug)]
struct Lane {
    request: Vec<u8>,
    /// Bytes of all answers.
    length: usize,
    output: TcpStream,
    input: TcpStream,
}

/// A server with connections to it.
#[derive(Debug)]
pub struct Load {
    lanes: Vec<Lane>,
    buffer: Vec<u8>,
    _server: Server,
    _root: TempDir,
}

impl Load {
    /// Starts the server and opens the connections. Pinned, server and this thread have a processor each.
    ///
    /// # Errors
    /// One of them fails.
    pub fn open(case: Case, program: &Path, planted: &str, pinned: bool) -> anyhow::Result<Self> {
        if pinned {
            ringside_metal::affinity::pin(&[0]).context("failed to pin the client")?;
        }
        let root = tempfile::tempdir()?;
        std::fs::write(root.path().join("file"), [b'x'; 1024])?;
        let server = Server::start(case, program, planted, pinned, root.path())?;
        let lanes: anyhow::Result<Vec<Lane>> = match case {
            Case::Http => (0..64).map(|_| http(server.address())).collect(),
            Case::Mqtt => (0..10).map(|pair| mqtt(server.address(), pair)).collect(),
        };
        let lanes = lanes?;
        let longest = lanes.iter().map(|lane| lane.length).max().unwrap_or(0);
        Ok(Self {
            lanes,
            buffer: vec![0; longest],
            _server: server,
            _root: root,
        })
    }

    /// Sends on every lane, then waits for all answers: ten seconds of nothing end it with a panic, as no tool takes an
    /// error.
    pub fn exchange(&mut self) {
        for lane in &mut self.lanes {
            lane.output
                .write_all(&lane.request)
                .expect("the server reads");
        }
        for lane in &mut self.lanes {
            let buffer = &mut self.buffer[..lane.length];
            lane.input.read_exact(buffer).expect("the server answers");
        }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
    Ok(stream)
}

fn http(address: SocketAddr) -> anyhow::Result<Lane> {
    let mut stream = connect(address)?;
    let request = b"GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
    stream.write_all(&request)?;
    // The head is as long in each answer: the date in it has a fixed length.
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        bail!("the server answered {}", String::from_utf8_lossy(&answer));
    }
    let length = answer.len() + 1024;
    stream.read_exact(&mut [0; 1024])?;
    Ok(Lane {
        request,
        length,
        output: stream.try_clone()?,
        input: stream,
    })
}

/// MQTT 3.1.1, QoS 0.
fn mqtt(address: SocketAddr, pair: u8) -> anyhow::Result<Lane> {
    let publisher = mqtt_client(address, b'p', pair)?;
    let mut subscriber = mqtt_client(address, b's', pair)?;
    let topic = [b't', b'0' + pair];
    subscriber.write_all(&[0x82, 7, 0, 1, 0, 2, topic[0], topic[1], 0])?;
    let mut granted = [0; 5];
    subscriber.read_exact(&mut granted)?;
    if granted != [0x90, 3, 0, 1, 0] {
        bail!("the broker answered SUBSCRIBE with {granted:?}");
    }
    let mut message = vec![0x30, 4 + 64, 0, 2, topic[0], topic[1]];
    message.extend([b'x'; 64]);
    let request = message.repeat(16);
    Ok(Lane {
        length: request.len(),
        request,
        output: publisher,
        input: subscriber,
    })
}

fn mqtt_client(address: SocketAddr, role: u8, pair: u8) -> anyhow::Result<TcpStream> {
    let mut stream = connect(address)?;
    let connect = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02";
    stream.write_all(&[&connect[..], &[role, b'0' + pair]].concat())?;
    let mut accepted = [0; 4];
    stream.read_exact(&mut accepted)?;
    if accepted != [0x20, 2, 0, 0] {
        bail!("the broker answered CONNECT with {accepted:?}");
    }
    Ok(stream)
}
