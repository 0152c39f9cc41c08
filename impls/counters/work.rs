//! What all counters have in common: what a thread does with one, and what has to hold of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::counters::{CounterHandle, SharedCounter};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

/// A counter with its name.
pub(crate) trait NamedCounter: SharedCounter + Sized {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// One that has counted nothing.
    fn new() -> Self;
}

/// A line of the list.
pub(crate) struct Entry<C>(PhantomData<fn() -> C>);

impl<C> Entry<C> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<C: NamedCounter> InProcess for Entry<C> {
    fn meta(&self) -> &'static ImplementationMeta {
        C::META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Counters(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        Ok(Box::new(Counted {
            counter: C::new(),
            reads: task.reads,
            wrong: AtomicU64::new(0),
        }))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Counter(Box::new(C::new())))
    }
}

/// A counter that threads count with.
struct Counted<C> {
    counter: C,
    reads: u32,
    /// Totals that were less than what the thread itself had counted, or than an earlier one.
    wrong: AtomicU64,
}

impl<C: NamedCounter> Prepared for Counted<C> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread::<C> {
            handle: self.counter.handle(),
            each: 100 / u64::from(self.reads.clamp(1, 100)),
            reads: self.reads > 0,
            least: 0,
            own: 0,
            wrong: &self.wrong,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} totals were less than an earlier one, or than what their thread had counted by itself"
            )),
        }
    }
}

/// What one thread works with.
struct Thread<'a, C: NamedCounter> {
    handle: C::Handle<'a>,
    /// Whether it asks for totals, and then each so many operations.
    reads: bool,
    each: u64,
    /// No total may be less.
    least: u64,
    own: u64,
    wrong: &'a AtomicU64,
}

impl<C: NamedCounter> Work for Thread<'_, C> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        if !self.reads {
            for _ in 0..count {
                self.handle.count();
            }
            self.own += u64::from(count);
            return self.own;
        }
        for number in first..first + u64::from(count) {
            if number.is_multiple_of(self.each) {
                self.read();
            } else {
                self.handle.count();
                self.own += 1;
            }
        }
        self.least
    }
}

impl<C: NamedCounter> Thread<'_, C> {
    fn read(&mut self) {
        let total = self.handle.total();
        let least = self.least.max(self.own);
        if total < least {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        self.least = least.max(total);
    }
}
