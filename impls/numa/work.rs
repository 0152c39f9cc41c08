//! What all ways to place memory have in common: what has to be there for them, and what threads do.

use std::io;
use std::marker::PhantomData;
use std::thread;

use ringside_contract::operations::numa::{LENDS, NumaTask, Placed, TestedNuma};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Workload};
use ringside_contract::{Host, ImplementationMeta, Settings, StartError, Support};
use ringside_metal::affinity::pin;
use ringside_metal::numa::{Node, nodes, nodes_of};

use super::buffers::Buffers;
use super::place::{Placing, Toucher};
use super::touch::Touching;

/// A line of the list.
pub(crate) struct Entry<P>(PhantomData<fn() -> P>);

impl<P> Entry<P> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<P: Placing> InProcess for Entry<P> {
    fn meta(&self) -> &'static ImplementationMeta {
        P::META
    }

    fn cannot(&self) -> &'static [&'static str] {
        if P::LENDS { &[] } else { &[LENDS] }
    }

    fn support(&self, host: &Host, _: &Settings) -> Support {
        if host.numa_nodes < 2 {
            return Support::No {
                reason: "it takes two NUMA nodes or more, and this machine has one".to_owned(),
            };
        }
        Support::Yes
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Numa(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        let nodes = nodes();
        match *task {
            NumaTask::Touch { bytes } => {
                let touching =
                    Touching::<P>::new(nodes, workload.threads, bytes as usize, workload.seed);
                Ok(Box::new(touching.map_err(placing)?))
            }
            NumaTask::Buffers { bytes } => {
                let lender = P::lender(&nodes, bytes as usize);
                Ok(Box::new(Buffers::new(nodes, lender)))
            }
        }
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Numa(Box::new(Any::<P>(PhantomData))))
    }
}

fn placing(source: io::Error) -> StartError {
    StartError::Io {
        step: "place memory".to_owned(),
        source,
    }
}

struct Any<P>(PhantomData<fn() -> P>);

impl<P: Placing> Any<P> {
    /// Memory of a thread on `node`, as seen from there.
    fn placed_on(node: &Node, bytes: usize) -> io::Result<Placed> {
        let made = match P::TOUCHER {
            Toucher::Main => Some(P::memory(bytes, node)?),
            Toucher::Worker => None,
        };
        pin(&node.cpus)?;
        let memory = made.map_or_else(|| P::memory(bytes, node), Ok)?;
        Ok(Placed {
            promised: P::IS_LOCAL.then_some(node.id),
            pages: nodes_of(memory.words())?,
        })
    }
}

impl<P: Placing> TestedNuma for Any<P> {
    fn placed(&self, bytes: u64) -> Result<Vec<Placed>, String> {
        let on = |node: Node| {
            // On a thread of its own, which alone is bound to processors and has a policy.
            let placed = thread::spawn(move || Self::placed_on(&node, bytes as usize)).join();
            placed
                .map_err(|_| "a thread panicked".to_owned())?
                .map_err(|error| error.to_string())
        };
        nodes().into_iter().map(on).collect()
    }

    fn foreign_words(&self) -> Result<u64, String> {
        let nodes = nodes();
        let lender = P::lender(&nodes, 4096);
        let buffers = Buffers::new(nodes, lender);
        thread::scope(|scope| {
            for number in 0..4 {
                let buffers = &buffers;
                scope.spawn(move || buffers.work(number).run(0, 2000));
            }
        });
        match buffers.foreign() {
            0 => buffers.check().map(|()| 0),
            foreign => Ok(foreign),
        }
    }
}
