//! What all tables of sessions have in common: how they are filled, what a thread does with one, and what has to hold of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::affinity::{AffinityTask, SessionTable, TestedAffinity};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{Axis, ImplementationMeta, Settings, StartError};
use ringside_metal::thread_allocations;

use super::form::{Documented, Form, Packed};
use crate::script::{Draw, Random};

/// What a session is kept as.
pub(super) const COMPACT: Axis = Axis {
    name: "compact",
    values: &["off", "on"],
    default: "off",
    about: "Whether a client is an address in a word and its session eight bytes, in place of texts and times.",
};

/// Sessions of one form.
pub(crate) trait Sessions<F: Form>: Send + Sync + 'static {
    /// An empty table that keeps at most so many.
    fn new(most: usize) -> Self;

    /// See [`SessionTable::backend`].
    fn backend(&self, key: &F::Key, now: u32, choice: u32) -> u32;

    /// How many there are.
    fn len(&self) -> usize;
}

/// A way to keep sessions, with its name.
pub(crate) trait NamedTable: Send + Sync + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// The table of a form.
    type Of<F: Form>: Sessions<F>;
}

/// A line of the list.
pub(crate) struct Entry<A>(PhantomData<fn() -> A>);

impl<A> Entry<A> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<A: NamedTable> InProcess for Entry<A> {
    fn meta(&self) -> &'static ImplementationMeta {
        A::META
    }

    fn prepare(
        &self,
        axes: &Settings,
        workload: &Workload,
    ) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Affinity(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        Ok(if COMPACT.choose(axes)? == "on" {
            Box::new(Filled::<Packed, A::Of<Packed>>::new(task, workload.seed))
        } else {
            Box::new(Filled::<Documented, A::Of<Documented>>::new(
                task,
                workload.seed,
            ))
        })
    }

    fn tested(&self, axes: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Affinity(if COMPACT.choose(axes)? == "on" {
            Box::new(Any::<Packed, A::Of<Packed>>(PhantomData))
        } else {
            Box::new(Any::<Documented, A::Of<Documented>>(PhantomData))
        }))
    }
}

/// Tables of any size, by the numbers of clients.
struct Any<F, S>(PhantomData<fn() -> (F, S)>);

impl<F: Form, S: Sessions<F>> TestedAffinity for Any<F, S> {
    fn of(&self, most: usize) -> Box<dyn SessionTable> {
        Box::new(ByNumber::<F, S>(S::new(most), PhantomData))
    }
}

struct ByNumber<F, S>(S, PhantomData<fn() -> F>);

impl<F: Form, S: Sessions<F>> SessionTable for ByNumber<F, S> {
    fn backend(&self, client: u32, now: u32, choice: u32) -> u32 {
        self.0.backend(&F::key(client), now, choice)
    }

    fn sessions(&self) -> usize {
        self.0.len()
    }
}

/// A table with the clients that ask.
struct Filled<F: Form, S> {
    sessions: S,
    task: AffinityTask,
    draw: Draw,
    seed: u64,
    /// Bytes that a session takes.
    each_bytes: Option<f64>,
    /// Clients that got another backend than before.
    wrong: AtomicU64,
    form: PhantomData<fn() -> F>,
}

impl<F: Form, S: Sessions<F>> Filled<F, S> {
    fn new(task: &AffinityTask, seed: u64) -> Self {
        let sessions = task.sessions.max(1);
        let most = sessions as usize * if task.fresh > 0 { 1 } else { 2 };
        let before = thread_allocations();
        let table = S::new(most);
        for client in 0..sessions {
            table.backend(&F::key(client), 0, choice(client));
        }
        let held = thread_allocations()
            .zip(before)
            .map(|(now, before)| now.since(before).held_bytes());
        Self {
            each_bytes: held.map(|bytes| bytes as f64 / table.len().max(1) as f64),
            sessions: table,
            draw: Draw::new(task.keys, sessions),
            task: task.clone(),
            seed,
            wrong: AtomicU64::new(0),
            form: PhantomData,
        }
    }

    /// What a thread asks for, again and again. Clients without a session are so many that each has lost the one that it
    /// had the last time.
    fn script(&self, thread: u32) -> Box<[Step<F::Key>]> {
        let mut random = Random::new(self.seed, thread.into());
        let mut stranger = self.task.sessions.saturating_mul(2 + thread);
        let mut step = || {
            let client = if random.below(100) < self.task.fresh {
                stranger = stranger.wrapping_add(1);
                stranger
            } else {
                self.draw.draw(&mut random)
            };
            Step {
                key: F::key(client),
                backend: choice(client),
            }
        };
        (0..steps(&self.task)).map(|_| step()).collect()
    }
}

/// How long a script is, a power of two: so long that no branch predictor knows it by heart, and that there are more
/// clients without a session in it than the table keeps.
fn steps(task: &AffinityTask) -> usize {
    let strangers = match task.fresh {
        0 => 0,
        fresh => u64::from(task.sessions) * 200 / u64::from(fresh),
    };
    // At most 2^20, which is a `usize`.
    strangers.clamp(1 << 14, 1 << 20).next_power_of_two() as usize
}

/// The backend of a client.
const fn choice(client: u32) -> u32 {
    client % 100
}

struct Step<K> {
    key: K,
    backend: u32,
}

impl<F: Form, S: Sessions<F>> Prepared for Filled<F, S> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        Box::new(Thread {
            script: self.script(thread),
            filled: self,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} clients were sent to another backend than theirs"
            )),
        }
    }

    fn figures(&self) -> Vec<(String, f64)> {
        let each = self
            .each_bytes
            .map(|each| ("memory_per_session".to_owned(), each));
        each.into_iter().collect()
    }
}

/// What one thread works with.
struct Thread<'a, F: Form, S> {
    script: Box<[Step<F::Key>]>,
    filled: &'a Filled<F, S>,
}

impl<F: Form, S: Sessions<F>> Work for Thread<'_, F, S> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let mask = self.script.len() - 1;
        let (mut sum, mut wrong) = (0_u64, 0);
        // A proxy's loop knows the time from its last wait: all of a batch have the same.
        let now = (first >> 10) as u32;
        for number in first..first + u64::from(count) {
            let step = &self.script[number as usize & mask];
            let backend = self.filled.sessions.backend(&step.key, now, step.backend);
            wrong += u64::from(backend != step.backend);
            sum = sum.rotate_left(5) ^ u64::from(backend);
        }
        if wrong > 0 {
            self.filled.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        sum
    }
}
