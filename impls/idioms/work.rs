//! What all idioms have in common: a step, again and again.

use std::marker::PhantomData;

use ringside_contract::operations::idioms::{IdiomTask, TestedIdiom};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

/// One way to write something.
pub(crate) trait NamedIdiom: Send + Sync + Sized + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// The questions that it does not answer: all but one.
    const CANNOT: &'static [&'static str];

    /// With what it works on; none where that is another question's.
    fn new(task: IdiomTask) -> Option<Self>;

    /// Does it once.
    fn step(&self, number: u64) -> u64;
}

/// The questions but for those of texts that are handed on.
pub(super) const ALL_BUT_PASS: &[&str] = &["escape", "fill", "share", "sum"];
/// The questions but for those of texts in which something is replaced.
pub(super) const ALL_BUT_ESCAPE: &[&str] = &["pass", "fill", "share", "sum"];
/// The questions but for those of vectors.
pub(super) const ALL_BUT_FILL: &[&str] = &["pass", "escape", "share", "sum"];
/// The questions but for those of shared bytes.
pub(super) const ALL_BUT_SHARE: &[&str] = &["pass", "escape", "fill", "sum"];
/// The questions but for those of sums.
pub(super) const ALL_BUT_SUM: &[&str] = &["pass", "escape", "fill", "share"];

/// A line of the list.
pub(crate) struct Entry<I>(PhantomData<fn() -> I>);

impl<I> Entry<I> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<I: NamedIdiom> InProcess for Entry<I> {
    fn meta(&self) -> &'static ImplementationMeta {
        I::META
    }

    fn cannot(&self) -> &'static [&'static str] {
        I::CANNOT
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let idiom = match workload.task {
            Task::Idioms(task) => I::new(task),
            _ => None,
        };
        let idiom = idiom.ok_or_else(|| workload.task.refused())?;
        Ok(Box::new(Steps(idiom)))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Idiom(Box::new(Any::<I>(PhantomData))))
    }
}

struct Any<I>(PhantomData<fn() -> I>);

impl<I: NamedIdiom> TestedIdiom for Any<I> {
    fn step(&self, task: IdiomTask, number: u64) -> Option<u64> {
        I::new(task).map(|idiom| idiom.step(number))
    }
}

/// What is done again and again. What it gives is held against what it has to by the conformance cases.
struct Steps<I>(I);

impl<I: NamedIdiom> Prepared for Steps<I> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread(&self.0))
    }

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

struct Thread<'a, I>(&'a I);

impl<I: NamedIdiom> Work for Thread<'_, I> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let steps = first..first + u64::from(count);
        steps.fold(0, |sum, number| sum.rotate_left(5) ^ self.0.step(number))
    }
}
