//! What all tables of backends have in common: what a backend is, what a thread does, and what has to hold of it.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::backends::{
    BACKENDS_MAX, BackendTable, BackendTask, TestedBackends, address,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};

use crate::script::Random;

/// A backend as a proxy knows it.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) is_well: bool,
}

/// The name of a backend; names are in the order of numbers.
pub(super) fn name(number: u32) -> String {
    format!("backend-{number:03}")
}

/// So many, all well.
pub(super) fn all_well(count: u32) -> impl Iterator<Item = Backend> {
    (0..count).map(|number| Backend {
        name: name(number),
        address: address(number),
        is_well: true,
    })
}

/// The one at place `turn`, from the first again behind the last.
pub(super) fn at<T>(well: &[T], turn: u32) -> Option<&T> {
    // They are at most `BACKENDS_MAX`; a division by nothing is none.
    let place = turn.checked_rem(well.len() as u32)?;
    well.get(place as usize)
}

/// A table with its name.
pub(crate) trait NamedBackends: BackendTable + Sized + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// So many, all well.
    fn new(backends: u32) -> Self;
}

/// A line of the list.
pub(crate) struct Entry<B>(PhantomData<fn() -> B>);

impl<B> Entry<B> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<B: NamedBackends> InProcess for Entry<B> {
    fn meta(&self) -> &'static ImplementationMeta {
        B::META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Backends(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        Ok(Box::new(Filled::<B>::new(task, workload.seed)))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Backends(Box::new(Any::<B>(PhantomData))))
    }
}

struct Any<B>(PhantomData<fn() -> B>);

impl<B: NamedBackends> TestedBackends for Any<B> {
    fn of(&self, backends: u32) -> Box<dyn BackendTable> {
        Box::new(B::new(backends))
    }
}

/// A table from which threads pick.
struct Filled<B> {
    backends: B,
    task: BackendTask,
    seed: u64,
    /// The lowest bytes of addresses of backends that are ill from the beginning on, a bit each.
    ill: [u64; 4],
    /// Picks that gave nothing, or one that has been ill all the time.
    wrong: AtomicU64,
}

impl<B: NamedBackends> Filled<B> {
    fn new(task: &BackendTask, seed: u64) -> Self {
        let count = task.backends.clamp(1, BACKENDS_MAX);
        let backends = B::new(count);
        let ill = task.ill.min(count - 1);
        let mut marks = [0; 4];
        for place in 0..ill {
            let number = ill_at(place, ill, count);
            backends.set_health(number, false);
            let low = low(&address(number));
            marks[low as usize / 64] |= 1 << (low % 64);
        }
        Self {
            backends,
            task: BackendTask {
                backends: count,
                ill,
                ..task.clone()
            },
            seed,
            ill: marks,
            wrong: AtomicU64::new(0),
        }
    }

    /// Whether an address is that of one that is ill from the beginning on.
    #[inline]
    fn is_ill(&self, address: &SocketAddr) -> bool {
        let low = low(address);
        self.ill[low as usize / 64] >> (low % 64) & 1 == 1
    }

    /// What a thread finds changed: the number of an operation, and of a backend that is well when the work begins. One is
    /// enough, and it changes back and forth.
    fn changing(&self, thread: u32) -> Option<u32> {
        let BackendTask { backends, ill, .. } = self.task;
        let is_ill = |number| (0..ill).any(|place| ill_at(place, ill, backends) == number);
        let mut random = Random::new(self.seed, thread.into());
        let begin = random.below(backends);
        let mut all = (0..backends).map(|step| (begin + step) % backends);
        // With a single one that is well, nobody could pick when it is ill.
        all.find(|&number| !is_ill(number) && backends - ill > 1)
    }
}

/// Ill ones lie all over the row.
const fn ill_at(place: u32, ill: u32, count: u32) -> u32 {
    place * count / ill
}

impl<B: NamedBackends> Prepared for Filled<B> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        Box::new(Thread {
            filled: self,
            turn: thread,
            // Only the first thread finds changes, so that not all that are well can be ill at once.
            changing: self.changing(thread).filter(|_| thread == 0),
            every: 1000_u64.checked_div(self.task.changes.into()).unwrap_or(0),
            is_well: true,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} requests got no backend, or one that is ill"
            )),
        }
    }
}

/// What one thread works with.
struct Thread<'a, B> {
    filled: &'a Filled<B>,
    turn: u32,
    changing: Option<u32>,
    /// Operations from one change to the next one; none at 0.
    every: u64,
    is_well: bool,
}

impl<B: NamedBackends> Work for Thread<'_, B> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let backends = &self.filled.backends;
        let (mut sum, mut wrong) = (0_u64, 0);
        for number in first..first + u64::from(count) {
            let changes = self.every > 0 && number.is_multiple_of(self.every);
            if let Some(backend) = self.changing.filter(|_| changes) {
                self.is_well = !self.is_well;
                backends.set_health(backend, self.is_well);
                continue;
            }
            self.turn = self.turn.wrapping_add(1);
            let picked = backends.pick(self.turn);
            let own = self.changing.filter(|_| !self.is_well).map(address);
            let is_wrong = picked.is_none_or(|picked| self.filled.is_ill(&picked));
            wrong += u64::from(is_wrong || picked == own);
            sum = sum.rotate_left(5) ^ picked.map_or(0, |address| low(&address));
        }
        if wrong > 0 {
            self.filled.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        sum
    }
}

/// A part of an address that no two backends share.
fn low(address: &SocketAddr) -> u64 {
    match address {
        SocketAddr::V4(address) => u64::from(address.ip().octets()[3]),
        SocketAddr::V6(_) => 0,
    }
}
