//! What all maps have in common: how they are filled, what a thread does with one, and what has to hold of it.
//!
//! Each value holds its key, so that a look-up can tell a lost entry and a torn value from a right one.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;
use ringside_contract::operations::map::{ConcurrentMap, KEY_BITS, MapHandle, MapTask};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

use crate::script::{Draw, Random, key};

/// The hash function of all maps of the family, so that they differ in nothing but the map. With a fixed seed, so
/// that a map has the same collisions in each process.
pub(crate) type Hasher = FixedState;

/// A map with its name.
pub(crate) trait NamedMap: ConcurrentMap + Sized {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// An empty one with room for so many entries.
    fn with_capacity(entries: usize) -> Self;

    /// One with these entries.
    fn filled(entries: impl ExactSizeIterator<Item = (u64, u64)>) -> Self {
        let map = Self::with_capacity(entries.len());
        let mut handle = map.handle();
        entries.for_each(|(key, value)| {
            handle.insert(key, value);
        });
        drop(handle);
        map
    }
}

/// A line of the list.
pub(crate) struct Entry<M>(PhantomData<fn() -> M>);

impl<M> Entry<M> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<M: NamedMap> InProcess for Entry<M> {
    fn meta(&self) -> &'static ImplementationMeta {
        M::META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Map(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        Ok(Box::new(Filled::<M>::new(task.clone(), workload.seed)))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Map(Box::new(M::with_capacity(16))))
    }
}

/// A map with its entries.
struct Filled<M> {
    map: M,
    task: MapTask,
    draw: Draw,
    seed: u64,
    /// Look-ups that did not find what they had to find.
    wrong: AtomicU64,
}

impl<M: NamedMap> Filled<M> {
    fn new(task: MapTask, seed: u64) -> Self {
        let entry = |number| (key(number), value(key(number), 0));
        Self {
            map: M::filled((0..task.entries).map(entry)),
            draw: Draw::new(task.keys, task.entries),
            task,
            seed,
            wrong: AtomicU64::new(0),
        }
    }

    /// What a thread does, again and again.
    fn script(&self, thread: u32) -> Box<[u64]> {
        let mut random = Random::new(self.seed, thread.into());
        let length = self
            .task
            .entries
            .clamp(STEPS_MIN, STEPS_MAX)
            .next_power_of_two();
        let mut step = || {
            let writes = random.below(100) >= self.task.reads;
            key(self.draw.draw(&mut random)) | if writes { WRITES } else { 0 }
        };
        (0..length).map(|_| step()).collect()
    }
}

impl<M: NamedMap> Filled<M> {
    fn thread<const CHAINED: bool>(&self, thread: u32) -> Thread<'_, M, CHAINED> {
        Thread {
            script: self.script(thread),
            handle: self.map.handle(),
            wrong: &self.wrong,
        }
    }
}

impl<M: NamedMap> Prepared for Filled<M> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        if self.task.chained {
            Box::new(self.thread::<true>(thread))
        } else {
            Box::new(self.thread::<false>(thread))
        }
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} operations found no entry, or the value of another one"
            )),
        }
    }
}

/// What one thread works with. `CHAINED`: what was found has a say in what comes next, which makes no difference but
/// that it has to be there first. Otherwise a processor would be half through the next look-up before this one has
/// ended.
struct Thread<'a, M: NamedMap, const CHAINED: bool> {
    script: Box<[u64]>,
    handle: M::Handle<'a>,
    wrong: &'a AtomicU64,
}

impl<M: NamedMap, const CHAINED: bool> Work for Thread<'_, M, CHAINED> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let mask = self.script.len() - 1;
        let (mut sum, mut wrong, mut tie) = (0_u64, 0, 0);
        for number in first..first + u64::from(count) {
            // Only the bits below the length of the script matter.
            let step = self.script[(number ^ tie) as usize & mask];
            let key = step & KEY;
            let found = if step & WRITES == 0 {
                self.handle.get(key)
            } else {
                self.handle.insert(key, value(key, number))
            };
            let found = found.unwrap_or(u64::MAX);
            if CHAINED {
                // Nothing where the value is the key's, which the compiler does not know.
                tie = (found ^ key) & KEY;
            }
            wrong += u64::from(found & KEY != key);
            sum = sum.rotate_left(5) ^ found;
        }
        if wrong > 0 {
            self.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        sum
    }
}

/// A value of a key that a write with this number sets.
fn value(key: u64, number: u64) -> u64 {
    key | number << KEY_BITS
}

const KEY: u64 = (1 << KEY_BITS) - 1;
/// Above the bits of a key.
const WRITES: u64 = 1 << KEY_BITS;
/// A script is as long as there are entries, so that it asks for most of them; a short one would be learnt by heart
/// by the branch predictor, and a long one would need a cache of its own.
const STEPS_MIN: u32 = 1 << 13;
const STEPS_MAX: u32 = 1 << 20;
