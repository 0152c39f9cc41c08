//! How far memory of another node is: what a machine is like, whatever is done about it.

use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_metal::affinity::pin;
use ringside_metal::monotonic_ns;
use ringside_metal::numa::Node;

use super::place::Memory;
use super::touch::{LINE, link, walk};
use crate::script::Random;

/// Memory of the first node, as the first and the last node see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Distance {
    near: Seen,
    far: Seen,
}

/// Nanoseconds.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Of a read whose place is known when the one before has come.
    read_ns: f64,
    /// Of all of it, one after the other.
    all_ns: f64,
}

/// More than caches hold.
const BYTES: usize = 64 << 20;
const STEPS: u32 = 200_000;
const GOES: usize = 5;

impl Distance {
    /// On a thread of its own, which goes from node to node.
    pub(super) fn measured(nodes: &[Node]) -> io::Result<Self> {
        let (first, last) = (&nodes[0], &nodes[nodes.len() - 1]);
        let measure = || {
            let memory = Memory::bound(BYTES, first)?;
            link(memory.words(), &mut Random::new(1, 0));
            let seen = |node: &Node| {
                pin(&node.cpus)?;
                Ok::<_, io::Error>(Seen::of(memory.words()))
            };
            Ok(Self {
                near: seen(first)?,
                far: seen(last)?,
            })
        };
        std::thread::scope(|scope| {
            let thread = scope.spawn(measure);
            let gone = |_| {
                Err(io::Error::other(
                    "the thread that measures distances panicked",
                ))
            };
            thread.join().unwrap_or_else(gone)
        })
    }

    /// By the names of their metrics.
    pub(super) fn figures(&self) -> [(String, f64); 2] {
        let ratio = |far: f64, near: f64| far / near.max(f64::MIN_POSITIVE);
        [
            (
                "remote_to_local_latency".to_owned(),
                ratio(self.far.read_ns, self.near.read_ns),
            ),
            (
                "local_to_remote_bandwidth".to_owned(),
                ratio(self.far.all_ns, self.near.all_ns),
            ),
        ]
    }
}

impl Seen {
    fn of(words: &[AtomicU64]) -> Self {
        let read = || black_box(walk(words, 0, STEPS));
        let all = || {
            let lines = words.chunks_exact(LINE);
            let sum = lines.map(|line| line[0].load(Ordering::Relaxed));
            black_box(sum.fold(0, u64::wrapping_add))
        };
        Self {
            read_ns: shortest_ns(read) / f64::from(STEPS),
            all_ns: shortest_ns(all),
        }
    }
}

/// What others do on the machine only makes it longer.
fn shortest_ns(act: impl Fn() -> u64) -> f64 {
    let goes = (0..GOES).map(|_| {
        let began = monotonic_ns();
        act();
        monotonic_ns() - began
    });
    goes.min().unwrap_or(0) as f64
}
