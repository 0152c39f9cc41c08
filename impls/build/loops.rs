//! The loops: those of other families that a compiler can do more or less with, and two of single instructions.

use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::StartError;
use ringside_contract::operations::build::Part;
use ringside_contract::operations::codec::{CodecTask, Direction};
use ringside_contract::operations::hash::HashTask;
use ringside_contract::operations::map::{KeyChoice, MapTask};
use ringside_contract::operations::{Prepared, Task, Work};
use ringside_wire::http::request::{Limits, TYPICAL, parse};

use super::floats::Float;
use crate::{alone, codec, hash, map};

/// Prepares one loop.
///
/// # Errors
/// As the family that it comes from.
pub(super) fn prepared<F: Float>(part: Part, seed: u64) -> Result<Box<dyn Prepared>, StartError> {
    match part {
        // Of the hash functions the one that is written for the instructions that a compiler is told of. Others look at
        // run time what there is.
        Part::Hash => alone::prepared(hash::all(), "hash/xxh3", seed, hashed()),
        Part::Codec => alone::prepared(codec::all(), "codec/zero_copy", seed, coded()),
        Part::Map => alone::prepared(map::all(), "map/sharded", seed, mapped()),
        Part::Http => Ok(Box::new(Heads(AtomicU64::new(0)))),
        Part::Atomics => Ok(Box::new(Atomics(AtomicU64::new(0)))),
        Part::Floats => Ok(Box::new(Floats::<F>(PhantomData))),
        Part::All => All::prepared::<F>(seed),
    }
}

fn hashed() -> Task {
    Task::Hash(HashTask::Keys {
        length: 1024,
        mixed: false,
        chained: false,
    })
}

fn coded() -> Task {
    Task::Codec(CodecTask {
        size: 256,
        direction: Direction::Both,
        framed: true,
    })
}

fn mapped() -> Task {
    Task::Map(MapTask {
        entries: 1024,
        reads: 90,
        keys: KeyChoice::Uniform,
        chained: false,
    })
}

/// A turn of each of the first four.
struct All(Vec<Box<dyn Prepared>>);

impl All {
    fn prepared<F: Float>(seed: u64) -> Result<Box<dyn Prepared>, StartError> {
        let loops = Part::LOOPS[..4].iter();
        let loops = loops.map(|&part| prepared::<F>(part, seed));
        Ok(Box::new(Self(loops.collect::<Result<_, _>>()?)))
    }
}

impl Prepared for All {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        let works = self.0.iter().map(|each| each.work(thread));
        Box::new(AllWork(works.collect()))
    }

    fn check(&self) -> Result<(), String> {
        self.0.iter().try_for_each(|each| each.check())
    }
}

struct AllWork<'a>(Vec<Box<dyn Work + 'a>>);

impl Work for AllWork<'_> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let sums = self.0.iter_mut().map(|work| work.run(first, count));
        sums.fold(0, |sum, each| sum.rotate_left(5) ^ each)
    }
}

/// Heads of requests, of which so many were not read.
struct Heads(AtomicU64);

impl Prepared for Heads {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(HeadWork {
            limits: Limits::default(),
            wrong: &self.0,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!("{wrong} heads of requests were not read")),
        }
    }
}

struct HeadWork<'a> {
    limits: Limits,
    wrong: &'a AtomicU64,
}

impl Work for HeadWork<'_> {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        let (mut sum, mut wrong) = (0_u64, 0);
        for _ in 0..count {
            match parse(black_box(TYPICAL.as_bytes()), &self.limits) {
                Ok(Some(request)) => sum = sum.rotate_left(5) ^ request.target.len() as u64,
                _ => wrong += 1,
            }
        }
        if wrong > 0 {
            self.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        sum
    }
}

/// A number that threads may share.
struct Atomics(AtomicU64);

impl Prepared for Atomics {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(self)
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Work for &Atomics {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        let before = self.0.load(Ordering::SeqCst);
        for _ in 0..count {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        self.0.load(Ordering::SeqCst).wrapping_sub(before)
    }
}

/// A chain of products and sums.
struct Floats<F>(PhantomData<fn() -> F>);

impl<F: Float> Prepared for Floats<F> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(FloatWork {
            factor: F::of(black_box(0.999_755_859_375)),
            term: F::of(black_box(0.731)),
        })
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

struct FloatWork<F> {
    factor: F,
    term: F,
}

impl<F: Float> Work for FloatWork<F> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        // It comes near the term over what the factor lacks of one, and stays finite.
        let mut number = F::of((first % 1000) as f64);
        for _ in 0..count {
            number = number.multiplied_and_added(self.factor, self.term);
        }
        number.bits()
    }
}
