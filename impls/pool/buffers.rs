//! What all pools of buffers have in common: what a thread does with one, what has to hold of it, and its figures.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::pool::{
    BufferHandle, BufferSizes, CONNECTIONS, PoolTask, TestedBuffers, TestedPool,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};
use ringside_metal::heap;
use ringside_metal::monotonic_ns;

use crate::script::Random;

/// A pool of buffers.
pub(crate) trait BufferPool: Send + Sync + 'static {
    /// What one thread holds.
    type Handle<'a>: BufferHandle
    where
        Self: 'a;

    /// Whether it has its buffers before any is asked for.
    const IS_PREHEATED: bool = false;

    /// A pool as it is before anything is asked for.
    fn new() -> Self;

    /// A handle for this thread.
    fn handle(&self) -> Self::Handle<'_>;
}

/// A pool of buffers with its name.
pub(crate) trait NamedBuffers: BufferPool {
    /// Name and technique.
    const META: &'static ImplementationMeta;
}

/// A line of the list, of what pools buffers alone.
pub(crate) struct BufferEntry<B>(PhantomData<fn() -> B>);

impl<B> BufferEntry<B> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<B: NamedBuffers> InProcess for BufferEntry<B> {
    fn meta(&self) -> &'static ImplementationMeta {
        B::META
    }

    fn cannot(&self) -> &'static [&'static str] {
        &[CONNECTIONS]
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        prepare::<B>(workload)
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Pool(TestedPool {
            connections: None,
            buffers: Some(tested::<B>),
        }))
    }
}

/// Makes work of a pool.
pub(super) fn prepare<B: BufferPool>(workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
    let Task::Pool(PoolTask::Buffers { sizes, held }) = workload.task else {
        return Err(workload.task.refused());
    };
    let began = monotonic_ns();
    let pool = B::new();
    let preheat_ns = monotonic_ns() - began;
    Ok(Box::new(Lending {
        pool,
        preheat_ms: B::IS_PREHEATED.then_some(preheat_ns as f64 / 1e6),
        sizes,
        held: held.clamp(1, HELD_MAX),
        seed: workload.seed,
        taken: AtomicU64::new(0),
        hits: AtomicU64::new(0),
        lent_bytes: AtomicU64::new(0),
        wrong: AtomicU64::new(0),
    }))
}

/// A pool for conformance cases.
pub(super) fn tested<B: BufferPool>() -> Box<dyn TestedBuffers> {
    Box::new(Any(B::new()))
}

struct Any<B>(B);

impl<B: BufferPool> TestedBuffers for Any<B> {
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn BufferHandle)) {
        act(&mut self.0.handle());
    }
}

/// A pool that lends to threads.
struct Lending<B> {
    pool: B,
    preheat_ms: Option<f64>,
    sizes: BufferSizes,
    held: u32,
    seed: u64,
    /// Buffers, and of these what the pool had.
    taken: AtomicU64,
    hits: AtomicU64,
    /// Bytes that threads have asked for and not given back.
    lent_bytes: AtomicU64,
    /// Buffers that were not empty, too small, or had somebody else's bytes when they were given back.
    wrong: AtomicU64,
}

impl<B: BufferPool> Prepared for Lending<B> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        let mut random = Random::new(self.seed, thread.into());
        let held = self.held as usize;
        Box::new(Thread::<B> {
            handle: self.pool.handle(),
            sizes: (0..STEPS).map(|_| size(self.sizes, &mut random)).collect(),
            held: (0..held).map(|_| Vec::new()).collect(),
            stamp: thread as u8,
            lending: self,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} buffers were not empty, too small, or had bytes of another thread"
            )),
        }
    }

    fn figures(&self) -> Vec<(String, f64)> {
        let taken = self.taken.load(Ordering::Relaxed).max(1) as f64;
        let hits = 100.0 * self.hits.load(Ordering::Relaxed) as f64 / taken;
        // What waits in a pool is no more of use than what waits in the allocator.
        let lent = self.lent_bytes.load(Ordering::Relaxed);
        let fragmentation = heap::usage().map(|heap| heap.idle_share(lent));
        let figures = [
            ("hit_rate", Some(hits)),
            ("preheat_time", self.preheat_ms),
            ("fragmentation", fragmentation),
        ];
        let known = |(name, figure): (&str, Option<f64>)| Some((name.to_owned(), figure?));
        figures.into_iter().filter_map(known).collect()
    }
}

/// Bytes of the next buffer.
fn size(sizes: BufferSizes, random: &mut Random) -> u32 {
    let most: u32 = match sizes {
        BufferSizes::Bytes(bytes) => return bytes.max(1),
        BufferSizes::Mixed => match random.below(100) {
            0..60 => 1 << 10,
            60..90 => 8 << 10,
            90..99 => 64 << 10,
            _ => 1 << 20,
        },
    };
    most / 2 + random.below(most / 2) + 1
}

/// What one thread works with.
struct Thread<'a, B: BufferPool> {
    handle: B::Handle<'a>,
    sizes: Box<[u32]>,
    /// Buffers that it has, of which the one that it got first makes room for the next.
    held: Box<[Vec<u8>]>,
    stamp: u8,
    lending: &'a Lending<B>,
}

impl<B: BufferPool> Work for Thread<'_, B> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let (mut hits, mut wrong) = (0_u64, 0_u64);
        let (mut lent, mut back) = (0_u64, 0_u64);
        for number in first..first + u64::from(count) {
            let size = self.sizes[number as usize % STEPS] as usize;
            let (mut buffer, was_there) = self.handle.take(size);
            hits += u64::from(was_there);
            wrong += u64::from(!buffer.is_empty() || buffer.capacity() < size);
            // Whoever asks for a buffer has something to put into it.
            buffer.resize(size, self.stamp);
            lent += size as u64;
            let place = number as usize % self.held.len();
            let before = std::mem::replace(&mut self.held[place], buffer);
            back += before.len() as u64;
            if let Some(&stamp) = before.last() {
                wrong += u64::from(stamp != self.stamp || before[0] != self.stamp);
                self.handle.put(before);
            }
        }
        let lending = self.lending;
        lending.taken.fetch_add(count.into(), Ordering::Relaxed);
        lending.hits.fetch_add(hits, Ordering::Relaxed);
        // It may go below zero in between, and wraps: the sum of all threads is right in the end.
        let change = lent.wrapping_sub(back);
        lending.lent_bytes.fetch_add(change, Ordering::Relaxed);
        if wrong > 0 {
            lending.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        hits
    }
}

/// The most buffers that a thread has at a time.
const HELD_MAX: u32 = 1024;
/// So many sizes that no branch predictor knows them by heart.
const STEPS: usize = 1 << 13;
