//! A server under test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::case::Case;

/// Variable of the environment that names the build to start.
pub const PROGRAM: &str = "YARDSTICK_PROGRAM";
/// The same for the build that it is compared with.
pub const PROGRAM_OF_BASE: &str = "YARDSTICK_BASE";
/// Variable of the environment that names the case.
pub const CASE: &str = "YARDSTICK_CASE";
/// Variable of the environment that names what is planted, as the build itself understands it.
pub const PLANT: &str = "RINGSIDE_PLANT";
/// The processor of servers, which is the one of the gate on two processors; clients have the first.
const PROCESSOR: &str = "1";

/// A running server; it ends with the value.
#[derive(Debug)]
pub struct Server {
    _running: Running,
    address: SocketAddr,
}

/// A process that ends with the value.
#[derive(Debug)]
struct Running(Child);

impl Server {
    /// Starts `program` with `planted` in it, on a processor of its own if it is `pinned`; it serves the files below
    /// `root`.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(
        case: Case,
        program: &Path,
        planted: &str,
        pinned: bool,
        root: &Path,
    ) -> anyhow::Result<Self> {
        let failed = || format!("failed to start {}", program.display());
        let started = Command::new(program)
            .args(["serve", case.implementation(), "--workers", "1", "--root"])
            .arg(root)
            .args(
                pinned
                    .then_some(["--cpus", PROCESSOR])
                    .as_slice()
                    .as_flattened(),
            )
            .env(PLANT, planted)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut running = Running(started.with_context(failed)?);
        let mut line = String::new();
        let output = running.0.stdout.take().with_context(failed)?;
        BufReader::new(output)
            .read_line(&mut line)
            .with_context(failed)?;
        let ready: serde_json::Value = serde_json::from_str(&line).with_context(failed)?;
        let address = ready["addr"].as_str().with_context(failed)?.parse()?;
        Ok(Self {
            _running: running,
            address,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
