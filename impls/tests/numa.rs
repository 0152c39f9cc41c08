//! The conformance cases of placement, on the nodes that this machine has (one will do), and over some that are wrong.

use ringside_conform::numa::{cases, run};
use ringside_contract::operations::numa::{LENDS, NumaTask, Placed, TestedNuma};
use ringside_contract::operations::{InProcess, Task, Tested, Workload};
use ringside_contract::{Settings, Support};

fn placements() -> Vec<&'static dyn InProcess> {
    let is_one = |one: &&'static dyn InProcess| one.meta().id.starts_with("numa/");
    ringside_operations::all()
        .into_iter()
        .filter(is_one)
        .collect()
}

/// Containers often refuse the system calls, and then nothing can be said.
fn can_place() -> bool {
    let first = ringside_metal::numa::nodes()[0].id;
    let can = ringside_metal::numa::Pages::new(4096, Some(first)).is_ok();
    if !can {
        eprintln!("left out: this system refuses mbind, see mbind(2)");
    }
    can
}

#[test]
fn every_implementation_passes_every_case() {
    if !can_place() {
        return;
    }
    for operation in placements() {
        let id = operation.meta().id;
        let Tested::Numa(numa) = operation.tested(&Settings::default()).unwrap() else {
            panic!("{id} places nothing");
        };
        for case in cases() {
            assert_eq!(run(case.name, numa.as_ref()), Ok(()), "{id}: {}", case.name);
        }
    }
}

#[test]
fn each_works_on_memory_and_lends_buffers_where_it_says_so() {
    if !can_place() {
        return;
    }
    for operation in placements() {
        let id = operation.meta().id;
        let touch = NumaTask::Touch { bytes: 1 << 20 };
        let buffers = NumaTask::Buffers { bytes: 4096 };
        for task in [touch, buffers] {
            if task == (NumaTask::Buffers { bytes: 4096 }) && operation.cannot().contains(&LENDS) {
                continue;
            }
            let workload = Workload {
                threads: 2,
                batch: 1,
                seed: 1,
                task: Task::Numa(task),
            };
            let prepared = operation.prepare(&Settings::default(), &workload).unwrap();
            std::thread::scope(|scope| {
                for thread in 0..2 {
                    let prepared = prepared.as_ref();
                    scope.spawn(move || prepared.work(thread).run(0, 1000));
                }
            });
            assert_eq!(prepared.check(), Ok(()), "{id}");
            let figures = prepared.figures();
            assert!(!figures.is_empty(), "{id}");
            for (name, figure) in figures {
                let is_share = name == "remote_accesses";
                assert!(
                    figure.is_finite() && (is_share || figure > 0.0),
                    "{id}: {name} {figure}"
                );
            }
        }
    }
}

#[test]
fn a_machine_of_one_node_is_told_what_it_lacks() {
    let mut host = ringside_metal::host::probe();
    for operation in placements() {
        host.numa_nodes = 1;
        let support = operation.support(&host, &Settings::default());
        let Support::No { reason } = support else {
            panic!("{} has nothing to place memory on", operation.meta().id);
        };
        assert!(reason.contains("two NUMA nodes"), "{reason}");
        host.numa_nodes = 2;
        assert_eq!(operation.support(&host, &Settings::default()), Support::Yes);
    }
}

/// Placement that does one thing wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It lies on another node.
    IsElsewhere,
    /// Nobody has touched it.
    IsAbsent,
    /// There is no memory.
    IsNothing,
    /// There is no node.
    HasNoNode,
    /// A buffer was lent twice.
    IsLentTwice,
}

impl TestedNuma for Fault {
    fn placed(&self, _: u64) -> Result<Vec<Placed>, String> {
        let page = match self {
            Self::IsElsewhere => Some(1),
            Self::IsAbsent => None,
            _ => Some(0),
        };
        let count = if *self == Self::IsNothing { 0 } else { 1024 };
        let placed = Placed {
            promised: Some(0),
            pages: vec![page; count],
        };
        Ok(if *self == Self::HasNoNode {
            vec![]
        } else {
            vec![placed]
        })
    }

    fn foreign_words(&self) -> Result<u64, String> {
        Ok(u64::from(*self == Self::IsLentTwice))
    }
}

#[test]
fn placement_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |fault: Fault| -> Vec<&str> {
        let names = cases().iter().map(|case| case.name);
        names.filter(|name| run(name, &fault).is_err()).collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for fault in [
        Fault::IsElsewhere,
        Fault::IsAbsent,
        Fault::IsNothing,
        Fault::HasNoNode,
    ] {
        assert_eq!(failing(fault), ["lies_where_it_was_promised"], "{fault:?}");
    }
    assert_eq!(
        failing(Fault::IsLentTwice),
        ["lends_a_buffer_to_one_thread_at_a_time"]
    );
}
