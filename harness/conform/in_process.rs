//! Cases of operations that are called in process. The worker process runs them on a structure of its own, so that
//! one that crashes or never returns is a failed case and nothing more.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use serde::Deserialize;

use crate::case::{Failure, Target};

/// What a worker answers to the name of a case.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done,
    Failed(String),
}

/// Has the worker run a case.
pub(crate) fn ask(target: &Target, case: &str) -> Result<(), Failure> {
    let talk = || -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(target.address)?;
        stream.set_read_timeout(Some(WORKED))?;
        // A name is of letters and underscores, which JSON takes as they are.
        stream.write_all(format!("{{\"case\":\"{case}\"}}\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    };
    match talk() {
        Ok(Reply::Done) => Ok(()),
        Ok(Reply::Failed(because)) => Err(Failure::new(because)),
        Err(error) => Err(Failure::unanswered(format!(
            "the worker gave no answer: {error}"
        ))),
    }
}

/// A case that takes so long has failed. Tests of quality work for seconds, and many workers share a machine.
const WORKED: Duration = Duration::from_secs(120);

/// Threads of a case. A worker has cores of their own for them, where there are so many.
pub(crate) const THREADS: u64 = 4;

/// Has threads do the same at once, each with its number.
pub(crate) fn together<R: Send>(act: impl Fn(u64) -> R + Sync) -> Result<Vec<R>, Failure> {
    let barrier = Barrier::new(THREADS as usize);
    let (act, barrier) = (&act, &barrier);
    thread::scope(|scope| {
        let start = |number| {
            scope.spawn(move || {
                barrier.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        let joined = threads.into_iter().map(ScopedJoinHandle::join);
        joined
            .map(|joined| joined.map_err(|_| Failure::new("a thread panicked")))
            .collect()
    })
}

/// A case that a worker runs, by the name under which it is asked for.
macro_rules! asked {
    ($name:literal, $about:literal) => {
        $crate::case::Case {
            name: $name,
            about: $about,
            needs: &[],
            run: |target| $crate::in_process::ask(target, $name),
        }
    };
}

pub(crate) use asked;
