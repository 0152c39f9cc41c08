//! What all builds have in common: which loop a thread runs, and the figures of the program that runs it.

use std::marker::PhantomData;

use ringside_contract::operations::build::{Part, TESTED_TURNS, TestedBuild};
use ringside_contract::operations::{
    BuiltProgram, InProcess, Prepared, Task, Tested, Work, Workload,
};
use ringside_contract::{ImplementationMeta, Settings, StartError};
use ringside_metal::monotonic_ns;

use super::floats::Float;
use super::loops::prepared;

/// A build with its name.
pub(crate) trait NamedBuild: Send + Sync + 'static {
    /// Name and flags.
    const META: &'static ImplementationMeta;

    /// How it computes with floating point.
    type Float: Float;

    /// The program's name in the matrix of builds.
    fn program() -> &'static str {
        Self::META.id.trim_start_matches("build/")
    }

    /// The only architecture whose processors run it; none where it is built for the one that is there.
    fn arch() -> Option<&'static str> {
        None
    }
}

/// A line of the list.
pub(crate) struct Entry<B>(PhantomData<fn() -> B>);

impl<B> Entry<B> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<B: NamedBuild> InProcess for Entry<B> {
    fn meta(&self) -> &'static ImplementationMeta {
        B::META
    }

    fn program(&self) -> Option<BuiltProgram> {
        Some(BuiltProgram {
            name: B::program(),
            arch: B::arch(),
        })
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Build(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        let latency = |part| {
            let prepared = prepared::<B::Float>(part, workload.seed)?;
            Ok::<_, StartError>(turn_ns(prepared.work(0).as_mut()))
        };
        let figures = [
            ("atomic_latency", Some(latency(Part::Atomics)?)),
            ("float_latency", Some(latency(Part::Floats)?)),
            ("binary_size", binary_size()),
        ];
        Ok(Box::new(Built {
            inner: prepared::<B::Float>(task.part, workload.seed)?,
            figures: figures
                .into_iter()
                .filter_map(|(name, figure)| Some((name.to_owned(), figure?)))
                .collect(),
        }))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Build(Box::new(Any::<B>(PhantomData))))
    }
}

struct Any<B>(PhantomData<fn() -> B>);

impl<B: NamedBuild> TestedBuild for Any<B> {
    fn sum(&self, part: Part) -> Result<u64, String> {
        let prepared = prepared::<B::Float>(part, SEED).map_err(|error| error.to_string())?;
        let sum = prepared.work(0).run(0, TESTED_TURNS);
        prepared.check()?;
        Ok(sum)
    }
}

const SEED: u64 = 1;

/// A loop, with the figures of the program.
struct Built {
    inner: Box<dyn Prepared>,
    figures: Vec<(String, f64)>,
}

impl Prepared for Built {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        self.inner.work(thread)
    }

    fn check(&self) -> Result<(), String> {
        self.inner.check()
    }

    fn figures(&self) -> Vec<(String, f64)> {
        self.figures.clone()
    }
}

/// Nanoseconds of a turn: the median of some goes, as others may have the core for one of them.
fn turn_ns(work: &mut dyn Work) -> f64 {
    let mut go = |_| {
        let began = monotonic_ns();
        std::hint::black_box(work.run(0, TURNS));
        (monotonic_ns() - began) as f64 / f64::from(TURNS)
    };
    let mut goes: [f64; GOES] = std::array::from_fn(&mut go);
    goes.sort_unstable_by(f64::total_cmp);
    goes[GOES / 2]
}

/// Tenths of a millisecond, which is much more than it takes to read a clock.
const TURNS: u32 = 50_000;
const GOES: usize = 21;

/// Bytes of the program's file; none where the system does not tell.
fn binary_size() -> Option<f64> {
    let file = std::env::current_exe().ok()?;
    Some(file.metadata().ok()?.len() as f64)
}
