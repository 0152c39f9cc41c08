//! Threads that read memory of their own, each line of which tells which is next.

use std::io;
use std::marker::PhantomData;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::{Prepared, Work};
use ringside_metal::CacheMisses;
use ringside_metal::numa::{Node, nodes_of};

use super::distance::Distance;
use super::place::{Memory, Placing, Toucher};
use crate::script::Random;

/// Words of a line.
pub(super) const LINE: usize = 8;

/// Memory for threads that are spread over nodes.
pub(super) struct Touching<P> {
    nodes: Vec<Node>,
    bytes: usize,
    seed: u64,
    /// What the preparing thread has made for each.
    made: Vec<Memory>,
    distance: Option<Distance>,
    /// Pages, and of these what lies on another node than the thread that works on them.
    pages: AtomicU64,
    remote: AtomicU64,
    /// Reads whose misses were counted, and these.
    counted: AtomicU64,
    misses: AtomicU64,
    /// What went wrong.
    wrong: Mutex<Option<String>>,
    placing: PhantomData<fn() -> P>,
}

impl<P: Placing> Touching<P> {
    /// For so many threads.
    ///
    /// # Errors
    /// The system's answer.
    pub(super) fn new(nodes: Vec<Node>, threads: u32, bytes: usize, seed: u64) -> io::Result<Self> {
        let made = match P::TOUCHER {
            Toucher::Main => threads,
            Toucher::Worker => 0,
        };
        let node = |thread: u32| &nodes[thread as usize % nodes.len()];
        let made = (0..made).map(|thread| P::memory(bytes, node(thread)));
        Ok(Self {
            made: made.collect::<Result<_, _>>()?,
            // What a machine is like is asked where nothing is done about it.
            distance: (!P::IS_LOCAL)
                .then(|| Distance::measured(&nodes))
                .transpose()?,
            nodes,
            bytes,
            seed,
            pages: AtomicU64::new(0),
            remote: AtomicU64::new(0),
            counted: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            wrong: Mutex::default(),
            placing: PhantomData,
        })
    }

    /// Notes where the memory of a thread lies.
    fn note(&self, words: &[AtomicU64], node: &Node) -> io::Result<()> {
        let found = nodes_of(words)?;
        let remote = found
            .iter()
            .filter(|&&found| found != Some(node.id))
            .count();
        if P::IS_LOCAL && remote > 0 {
            let message = format!(
                "{remote} of {} pages do not lie on node {}, to which they belong",
                found.len(),
                node.id
            );
            return Err(io::Error::other(message));
        }
        self.pages.fetch_add(found.len() as u64, Ordering::Relaxed);
        self.remote.fetch_add(remote as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl<P: Placing> Prepared for Touching<P> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        let node = &self.nodes[thread as usize % self.nodes.len()];
        let own = match P::TOUCHER {
            Toucher::Main => None,
            Toucher::Worker => Some(P::memory(self.bytes, node)),
        };
        let memory = own
            .transpose()
            .map(|own| own.map_or_else(|| Near::Made(&self.made[thread as usize]), Near::Own));
        let noted = memory.and_then(|memory| {
            link(memory.words(), &mut Random::new(self.seed, thread.into()));
            self.note(memory.words(), node)?;
            Ok(memory)
        });
        match noted {
            Ok(memory) => Box::new(Walk {
                memory,
                at: 0,
                misses: CacheMisses::of_this_thread().ok(),
                counted: [&self.counted, &self.misses],
            }),
            Err(error) => {
                let message = format!("thread {thread}: {error}");
                *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
                Box::new(Nothing)
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.clone().map_or(Ok(()), Err)
    }

    fn figures(&self) -> Vec<(String, f64)> {
        let pages = self.pages.load(Ordering::Relaxed).max(1) as f64;
        let remote = 100.0 * self.remote.load(Ordering::Relaxed) as f64 / pages;
        let mut figures = vec![("remote_accesses".to_owned(), remote)];
        let misses = self.misses.load(Ordering::Relaxed);
        if misses > 0 {
            let counted = self.counted.load(Ordering::Relaxed) as f64;
            figures.push(("ops_per_cache_miss".to_owned(), counted / misses as f64));
        }
        if let Some(distance) = &self.distance {
            figures.extend(distance.figures());
        }
        figures
    }
}

/// Of this thread alone, or made for it.
enum Near<'a> {
    Own(Memory),
    Made(&'a Memory),
}

impl Near<'_> {
    #[inline]
    fn words(&self) -> &[AtomicU64] {
        match self {
            Self::Own(memory) => memory.words(),
            Self::Made(memory) => memory.words(),
        }
    }
}

/// Has each line name another one, so that all are on one way round (Sattolo's algorithm).
pub(super) fn link(words: &[AtomicU64], random: &mut Random) {
    // A line's number fits, as no memory has 2^38 bytes.
    let lines = (words.len() / LINE) as u32;
    let mut order: Vec<u32> = (0..lines).collect();
    for last in (1..lines).rev() {
        order.swap(last as usize, random.below(last) as usize);
    }
    for (line, next) in order.into_iter().enumerate() {
        words[line * LINE].store(next.into(), Ordering::Relaxed);
    }
}

/// Goes on from a line so many steps: the line it comes to.
#[inline]
pub(super) fn walk(words: &[AtomicU64], mut line: u64, steps: u32) -> u64 {
    for _ in 0..steps {
        line = words[line as usize * LINE].load(Ordering::Relaxed);
    }
    line
}

struct Walk<'a> {
    memory: Near<'a>,
    at: u64,
    /// None where the processor's counters cannot be read.
    misses: Option<CacheMisses>,
    /// Reads, and misses.
    counted: [&'a AtomicU64; 2],
}

impl Walk<'_> {
    fn misses(&self) -> Option<u64> {
        self.misses.as_ref()?.so_far().ok()
    }
}

impl Work for Walk<'_> {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        let before = self.misses();
        self.at = walk(self.memory.words(), self.at, count);
        if let Some((now, before)) = self.misses().zip(before) {
            let [reads, misses] = self.counted;
            reads.fetch_add(count.into(), Ordering::Relaxed);
            misses.fetch_add(now.saturating_sub(before), Ordering::Relaxed);
        }
        self.at
    }
}

/// In place of a walk that there is no memory for; the check tells.
struct Nothing;

impl Work for Nothing {
    fn run(&mut self, _: u64, _: u32) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_comes_to_every_line_once_before_it_begins_again() {
        for lines in [1, 2, 100] {
            let memory = Memory::allocated(lines * LINE * 8);
            link(memory.words(), &mut Random::new(5, 0));
            let mut line = 0;
            let mut met: Vec<_> = (0..lines)
                .map(|_| {
                    line = walk(memory.words(), line, 1);
                    line
                })
                .collect();
            assert_eq!(line, 0);
            met.sort_unstable();
            assert!(met.into_iter().eq(0..lines as u64));
        }
    }
}
