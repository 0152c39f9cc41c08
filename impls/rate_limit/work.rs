//! What all limits have in common: what a thread does with one, and what has to hold of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::rate_limit::{RateLimit, TestedLimit, TestedRate};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};
use ringside_metal::monotonic_ns;

/// A limit with its name.
pub(crate) trait NamedLimit: RateLimit {
    /// Name and technique.
    const META: &'static ImplementationMeta;
}

/// A line of the list.
pub(crate) struct Entry<L>(PhantomData<fn() -> L>);

impl<L> Entry<L> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<L: NamedLimit> InProcess for Entry<L> {
    fn meta(&self) -> &'static ImplementationMeta {
        L::META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::RateLimit(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        Ok(Box::new(Limited {
            limit: L::new(task.rate_per_s),
            admitted: AtomicU64::new(0),
            asked: AtomicU64::new(0),
        }))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::RateLimit(Box::new(Any::<L>(PhantomData))))
    }
}

struct Any<L>(PhantomData<fn() -> L>);

impl<L: NamedLimit> TestedRate for Any<L> {
    fn of(&self, rate_per_s: u64) -> Box<dyn TestedLimit> {
        Box::new(L::new(rate_per_s))
    }
}

/// A limit that threads ask.
struct Limited<L> {
    limit: L,
    asked: AtomicU64,
    admitted: AtomicU64,
}

impl<L: NamedLimit> Prepared for Limited<L> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread(self))
    }

    fn check(&self) -> Result<(), String> {
        let asked = self.asked.load(Ordering::Relaxed);
        if asked > 0 && self.admitted.load(Ordering::Relaxed) == 0 {
            return Err(format!("of {asked} requests none went on"));
        }
        Ok(())
    }

    fn figures(&self) -> Vec<(String, f64)> {
        let asked = self.asked.load(Ordering::Relaxed).max(1) as f64;
        let share = 100.0 * self.admitted.load(Ordering::Relaxed) as f64 / asked;
        vec![("admitted".to_owned(), share)]
    }
}

/// What one thread works with.
struct Thread<'a, L>(&'a Limited<L>);

impl<L: NamedLimit> Work for Thread<'_, L> {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        let mut admitted = 0_u64;
        for _ in 0..count {
            let now_ns = if L::NEEDS_CLOCK { monotonic_ns() } else { 0 };
            if self.0.limit.begin(now_ns) {
                admitted += 1;
                // The request would be here.
                self.0.limit.end();
            }
        }
        self.0.asked.fetch_add(count.into(), Ordering::Relaxed);
        self.0.admitted.fetch_add(admitted, Ordering::Relaxed);
        admitted
    }
}
