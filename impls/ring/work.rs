//! What all ways to share keys out have in common: how one is built with a hash function, and what is done with it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::hash::{HashFunction, KeyForm};
use ringside_contract::operations::ring::{NODES_MAX, NodeTable, RingTask, TestedRing};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{Axis, Host, ImplementationMeta, Settings, StartError, Support};

use crate::hash::{Build, NAMES, NamedHash, build_with, support};
use crate::script::Random;

/// What keys and points are hashed with.
pub(super) const HASH: Axis = Axis {
    name: "hash",
    values: NAMES,
    default: "rapidhash",
    about: "The hash function of keys and of points.",
};

/// A way to share keys out, with its name.
pub(crate) trait NamedRing: Send + Sync + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// Builds the table of so many nodes, and hands it on.
    fn build<H: HashFunction + Copy + 'static, T: Take>(
        axes: &Settings,
        function: H,
        nodes: u32,
        taker: T,
    ) -> T::Taken;

    /// See [`TestedRing::moved_without_need`].
    fn moved_without_need(_nodes: u32) -> f64 {
        0.0
    }
}

/// Takes a table of whatever type.
pub(crate) trait Take {
    /// What comes of it.
    type Taken;

    /// Takes it.
    fn take<N: NodeTable + 'static>(self, table: N) -> Self::Taken;
}

/// A line of the list.
pub(crate) struct Entry<R>(PhantomData<fn() -> R>);

impl<R> Entry<R> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<R: NamedRing> InProcess for Entry<R> {
    fn meta(&self) -> &'static ImplementationMeta {
        R::META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        support(hash_of(axes), host)
    }

    fn prepare(
        &self,
        axes: &Settings,
        workload: &Workload,
    ) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Ring(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        let nodes = task.nodes.clamp(1, NODES_MAX);
        let asked = Asking {
            task: RingTask {
                nodes,
                ..task.clone()
            },
            seed: workload.seed,
        };
        let build = Built::<R, _> {
            axes,
            nodes,
            taker: asked,
            ring: PhantomData,
        };
        build_with(hash_of(axes), build)
    }

    fn tested(&self, axes: &Settings) -> Result<Tested, StartError> {
        let ring = Any::<R> {
            axes: axes.clone(),
            ring: PhantomData,
        };
        // Later there is nobody to tell.
        ring.table(1)?;
        Ok(Tested::Ring(Box::new(ring)))
    }
}

fn hash_of(axes: &Settings) -> &str {
    axes.value(HASH.name).unwrap_or(HASH.default)
}

/// A table that is built once its hash function is known.
struct Built<'a, R, T> {
    axes: &'a Settings,
    nodes: u32,
    taker: T,
    ring: PhantomData<R>,
}

impl<R: NamedRing, T: Take> Build for Built<'_, R, T> {
    type Built = T::Taken;

    fn build<H: NamedHash>(self, function: H) -> T::Taken {
        R::build(self.axes, function, self.nodes, self.taker)
    }
}

/// Tables of any count of nodes.
struct Any<R> {
    axes: Settings,
    ring: PhantomData<fn() -> R>,
}

impl<R: NamedRing> Any<R> {
    fn table(&self, nodes: u32) -> Result<Box<dyn NodeTable>, StartError> {
        let build = Built::<R, _> {
            axes: &self.axes,
            nodes,
            taker: Boxing,
            ring: PhantomData,
        };
        build_with(hash_of(&self.axes), build)
    }
}

impl<R: NamedRing> TestedRing for Any<R> {
    fn of(&self, nodes: u32) -> Box<dyn NodeTable> {
        self.table(nodes)
            .expect("one was built before this was handed out")
    }

    fn moved_without_need(&self, nodes: u32) -> f64 {
        R::moved_without_need(nodes)
    }
}

struct Boxing;

impl Take for Boxing {
    type Taken = Box<dyn NodeTable>;

    fn take<N: NodeTable + 'static>(self, table: N) -> Self::Taken {
        Box::new(table)
    }
}

/// Makes work of a table.
struct Asking {
    task: RingTask,
    seed: u64,
}

impl Take for Asking {
    type Taken = Box<dyn Prepared>;

    fn take<N: NodeTable + 'static>(self, table: N) -> Self::Taken {
        Box::new(Asked::new(table, &self.task, self.seed))
    }
}

/// A table with the keys that it is asked for.
pub(super) struct Asked<N> {
    table: N,
    bytes: Box<[u8]>,
    script: Box<[Question]>,
    /// How many times as many keys as on average the node has that has most of them.
    imbalance: f64,
    /// Answers that were not those from before all work.
    wrong: AtomicU64,
}

/// A key, where it lies, and its node.
#[derive(Debug, Clone, Copy)]
struct Question {
    begin: u32,
    length: u16,
    node: u16,
}

impl<N: NodeTable> Asked<N> {
    pub(super) fn new(table: N, task: &RingTask, seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let (mut keys, mut script) = (String::new(), Vec::with_capacity(STEPS));
        for _ in 0..STEPS {
            let begin = keys.len();
            task.keys.write(random.below(KEYS), &mut keys);
            let node = table.node(&keys.as_bytes()[begin..]);
            script.push(Question {
                begin: begin as u32,
                length: (keys.len() - begin) as u16,
                node: node as u16,
            });
        }
        Self {
            imbalance: imbalance(&table, task.nodes, task.keys),
            table,
            bytes: keys.into_bytes().into(),
            script: script.into(),
            wrong: AtomicU64::new(0),
        }
    }
}

/// Of 1,000 keys a node.
fn imbalance(table: &impl NodeTable, nodes: u32, keys: KeyForm) -> f64 {
    let mut counts = vec![0_u32; nodes as usize];
    let mut key = String::new();
    for number in 0..nodes * 1000 {
        key.clear();
        keys.write(number, &mut key);
        if let Some(count) = counts.get_mut(table.node(key.as_bytes()) as usize) {
            *count += 1;
        }
    }
    f64::from(counts.into_iter().max().unwrap_or(0)) / 1000.0
}

impl<N: NodeTable> Prepared for Asked<N> {
    fn work(&self, _: u32) -> Box<dyn Work + '_> {
        Box::new(Thread(self))
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!("{wrong} keys had another node than before")),
        }
    }

    fn figures(&self) -> Vec<(String, f64)> {
        vec![("imbalance".to_owned(), self.imbalance)]
    }
}

/// What one thread works with.
struct Thread<'a, N>(&'a Asked<N>);

impl<N: NodeTable> Work for Thread<'_, N> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let Asked {
            table,
            bytes,
            script,
            wrong,
            ..
        } = self.0;
        let (mut sum, mut others) = (0_u64, 0);
        for number in first..first + u64::from(count) {
            let question = script[number as usize % STEPS];
            let begin = question.begin as usize;
            let node = table.node(&bytes[begin..begin + usize::from(question.length)]);
            others += u64::from(node != u32::from(question.node));
            sum = sum.rotate_left(5) ^ u64::from(node);
        }
        if others > 0 {
            wrong.fetch_add(others, Ordering::Relaxed);
        }
        sum
    }
}

/// Keys that are asked for: so many that no branch predictor knows their nodes by heart.
const STEPS: usize = 1 << 13;
/// Of so many.
const KEYS: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    struct First(AtomicU64);

    impl NodeTable for First {
        fn node(&self, _: &[u8]) -> u32 {
            self.0.load(Ordering::Relaxed) as u32
        }
    }

    #[test]
    fn a_table_that_changes_its_mind_is_found_and_one_that_loads_a_node_shows_it() {
        let task = RingTask {
            nodes: 4,
            keys: KeyForm::User,
        };
        let asked = Asked::new(First(AtomicU64::new(0)), &task, 1);
        assert_eq!(asked.figures(), [("imbalance".to_owned(), 4.0)]);
        asked.work(0).run(0, 10);
        assert_eq!(asked.check(), Ok(()));
        asked.table.0.store(1, Ordering::Relaxed);
        asked.work(0).run(5, 10);
        assert!(asked.check().unwrap_err().starts_with("10 keys"));
    }
}
