//! Threads of a pool work on parts of the numbers.

use ::rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use ::rayon::{ThreadPool, ThreadPoolBuilder};
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::idioms::IdiomTask;

use super::sequential::work;
use super::work::{ALL_BUT_SUM, NamedIdiom};

/// `idioms/rayon`.
pub(crate) struct Rayon {
    numbers: Box<[u64]>,
    pool: ThreadPool,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "idioms/rayon",
    about: "A pool with a thread for each core goes through parts of the numbers (rayon's ParallelIterator).",
    axes: &[],
    ranked: true,
};

impl NamedIdiom for Rayon {
    const META: &'static ImplementationMeta = &META;
    const CANNOT: &'static [&'static str] = ALL_BUT_SUM;

    fn new(task: IdiomTask) -> Option<Self> {
        let IdiomTask::Sum { items, cores } = task else {
            return None;
        };
        let pool = ThreadPoolBuilder::new().num_threads(cores.max(1) as usize);
        Some(Self {
            numbers: (0..items.into()).collect(),
            pool: pool.build().ok()?,
        })
    }

    fn step(&self, number: u64) -> u64 {
        let sum = || {
            let worked = self.numbers.par_iter().map(|&item| work(item, number));
            worked.reduce(|| 0, u64::wrapping_add)
        };
        self.pool.install(sum)
    }
}
