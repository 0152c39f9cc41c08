//! Linearizability: what threads found in a map that they share could have been found in a map that did one thing after
//! the other, each at a moment between its call and its return. The checker searches such moments (Wing and Gong 1993,
//! Lowe 2017).

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use porcupine_rs::{Model, Operation, check_operations};
use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use ringside_contract::operations::map::TestedMap;

use super::with_every_map;
use super::wrong::{Fault, Wrong};

/// One key of a map, to which one thing is done after the other. Keys have nothing to do with one another.
#[derive(Debug, Clone)]
struct Sequential;

/// What was done to a key, and the value that was found there before.
#[derive(Debug, Clone, Copy)]
struct Done {
    key: u64,
    what: What,
    found: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Get,
    Insert(u64),
    Remove,
}

impl Model for Sequential {
    type State = Option<u64>;
    type Op = Done;
    type Metadata = ();

    fn init() -> Option<u64> {
        None
    }

    fn step(before: &Option<u64>, done: &Done) -> (bool, Option<u64>) {
        let after = match done.what {
            What::Get => *before,
            What::Insert(value) => Some(value),
            What::Remove => None,
        };
        (done.found == *before, after)
    }

    fn partition_operations(history: &[Operation<Self>]) -> Vec<Vec<Operation<Self>>> {
        let of = |key| {
            let one = |operation: &&Operation<Self>| operation.op.key == key;
            history.iter().filter(one).cloned().collect()
        };
        (0..KEYS).map(of).collect()
    }
}

/// Few, so that threads meet at them.
const KEYS: u64 = 6;
const THREADS: u64 = 4;
/// Operations of a thread.
const COUNT: u64 = 1_500;

/// What one thread did.
fn act(map: &dyn TestedMap, thread: u64, began: Instant) -> Vec<Operation<Sequential>> {
    let mut random = SplitMix64::seed_from_u64(thread);
    let now = || began.elapsed().as_nanos() as i64;
    let mut act = |number| {
        let word = random.next_u64();
        let key = word % KEYS;
        let what = match word >> 60 {
            0..8 => What::Get,
            // No two writes have the same value.
            8..13 => What::Insert(thread * COUNT + number),
            _ => What::Remove,
        };
        let called = now();
        let found = match what {
            What::Get => map.get(key),
            What::Insert(value) => map.insert(key, value),
            What::Remove => map.remove(key),
        };
        let returned = now();
        Operation {
            client_id: Some(thread as u32),
            // What was called in the nanosecond in which another one returned may have come before it.
            call_time: called * 2,
            return_time: returned * 2 + 1,
            op: Done { key, what, found },
            metadata: None,
        }
    };
    (0..COUNT).map(&mut act).collect()
}

/// Whether what threads found can be explained.
fn is_linearizable(map: &dyn TestedMap) -> bool {
    let (began, barrier) = (Instant::now(), Barrier::new(THREADS as usize));
    let barrier = &barrier;
    let history: Vec<_> = thread::scope(|scope| {
        let start = |thread| {
            scope.spawn(move || {
                barrier.wait();
                act(map, thread, began)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    });
    assert_eq!(history.len() as u64, THREADS * COUNT);
    check_operations(&history)
}

#[test]
fn every_map_is_linearizable() {
    // Threads meet in other ways each time.
    let rounds = ["first", "second", "third", "fourth"];
    with_every_map(&rounds, |_, map| {
        if is_linearizable(map) {
            Ok(())
        } else {
            Err("no order of what threads did explains what they found".to_owned())
        }
    });
}

#[test]
fn a_map_that_does_things_in_two_steps_is_not() {
    assert!(is_linearizable(&Wrong::new(Fault::None)));
    for fault in [Fault::InsertsInTwoSteps, Fault::RemovesInTwoSteps] {
        assert!(!is_linearizable(&Wrong::new(fault)), "{fault:?}");
    }
}
