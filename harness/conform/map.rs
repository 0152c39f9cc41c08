//! Map: what threads that share one must never see. Each entry's value holds its key, so that a value of another key and
//! one that nobody wrote are told from a right one.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};

use ringside_contract::operations::map::{KEY_BITS, TestedMap};

use crate::case::{Case, Failure, ensure};
use crate::in_process::asked;

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process, on an empty map.
///
/// # Errors
/// What the map did wrong, or that there is no such case.
pub fn run(name: &str, map: &dyn TestedMap) -> Result<(), Failure> {
    match name {
        "finds_what_was_written" => finds_what_was_written(map),
        "keeps_entries_while_it_grows" => keeps_entries_while_it_grows(map),
        "loses_no_change_of_many_threads" => loses_no_change_of_many_threads(map),
        "gives_each_value_back_once" => gives_each_value_back_once(map),
        "gives_a_removed_value_to_one" => gives_a_removed_value_to_one(map),
        "never_goes_back" => never_goes_back(map),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "finds_what_was_written",
        "A value is found until another one is written or it is removed; each change gives the value before it."
    ),
    asked!(
        "keeps_entries_while_it_grows",
        "Of 20,000 entries of which each third is removed, the others are there, and none else."
    ),
    asked!(
        "loses_no_change_of_many_threads",
        "Threads that write and remove keys of their own at the same time find exactly what they left."
    ),
    asked!(
        "gives_each_value_back_once",
        "Of the values that threads write to one key, each is given back once as the one before, but for the last."
    ),
    asked!(
        "gives_a_removed_value_to_one",
        "Of threads that remove the same keys, one gets each value."
    ),
    asked!(
        "never_goes_back",
        "Who reads a key that one thread writes finds no value of another key, and none older than one found before."
    ),
];

const THREADS: u64 = 4;

fn finds_what_was_written(map: &dyn TestedMap) -> Result<(), Failure> {
    let key = 77;
    let steps: [(&str, Option<u64>, Option<u64>); 7] = [
        ("get of nothing", map.get(key), None),
        ("insert", map.insert(key, 1), None),
        ("get", map.get(key), Some(1)),
        ("second insert", map.insert(key, 2), Some(1)),
        ("get of the second", map.get(key), Some(2)),
        ("remove", map.remove(key), Some(2)),
        ("remove of nothing", map.remove(key), None),
    ];
    for (step, found, expected) in steps {
        ensure(found == expected, || {
            format!("{step} gave {found:?} where {expected:?} was expected")
        })?;
    }
    Ok(())
}

fn keeps_entries_while_it_grows(map: &dyn TestedMap) -> Result<(), Failure> {
    const COUNT: u64 = 20_000;
    let removed = |number: u64| number.is_multiple_of(3);
    for number in 0..COUNT {
        map.insert(spread(number), number);
        if removed(number) {
            map.remove(spread(number));
        }
    }
    for number in 0..COUNT + 1000 {
        let expected = (number < COUNT && !removed(number)).then_some(number);
        let found = map.get(spread(number));
        ensure(found == expected, || {
            format!("entry {number} is {found:?} where {expected:?} was expected")
        })?;
    }
    Ok(())
}

/// Has threads do the same at once, each with its number.
fn together<R: Send>(act: impl Fn(u64) -> R + Sync) -> Result<Vec<R>, Failure> {
    let barrier = Barrier::new(THREADS as usize);
    let (act, barrier) = (&act, &barrier);
    thread::scope(|scope| {
        let start = |number| {
            scope.spawn(move || {
                barrier.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        let joined = threads.into_iter().map(ScopedJoinHandle::join);
        joined
            .map(|joined| joined.map_err(|_| Failure::new("a thread panicked")))
            .collect()
    })
}

fn loses_no_change_of_many_threads(map: &dyn TestedMap) -> Result<(), Failure> {
    const COUNT: u64 = 5_000;
    let own = |thread: u64, number: u64| spread(number * THREADS + thread);
    together(|thread| {
        for number in 0..COUNT {
            map.insert(own(thread, number), number);
            if number % 2 == 1 {
                map.remove(own(thread, number - 1));
            }
        }
    })?;
    for (thread, number) in (0..THREADS).flat_map(|thread| (0..COUNT).map(move |n| (thread, n))) {
        let expected = (number % 2 == 1).then_some(number);
        let found = map.get(own(thread, number));
        ensure(found == expected, || {
            format!(
                "entry {number} of thread {thread} is {found:?} where {expected:?} was expected"
            )
        })?;
    }
    Ok(())
}

/// A chain: each insert gives what the one before it wrote. Where changes are not taken one after the other, a value is
/// given twice or never.
fn gives_each_value_back_once(map: &dyn TestedMap) -> Result<(), Failure> {
    const COUNT: u64 = 20_000;
    let key = 5;
    let given = together(|thread| {
        let values = (0..COUNT).map(|number| number * THREADS + thread);
        values
            .filter_map(|value| map.insert(key, value))
            .collect::<Vec<_>>()
    })?;
    let mut seen: Vec<u64> = given.into_iter().flatten().collect();
    seen.extend(map.get(key));
    let count = seen.len() as u64;
    let different: BTreeSet<u64> = seen.into_iter().collect();
    ensure(
        count == COUNT * THREADS && different.len() as u64 == count,
        || {
            format!(
                "{} values were written, {count} were given back, {} different ones",
                COUNT * THREADS,
                different.len()
            )
        },
    )
}

fn gives_a_removed_value_to_one(map: &dyn TestedMap) -> Result<(), Failure> {
    const COUNT: u64 = 20_000;
    (0..COUNT).for_each(|number| {
        map.insert(spread(number), number);
    });
    let given = together(|_| {
        let removed = (0..COUNT).filter_map(|number| map.remove(spread(number)));
        removed.collect::<Vec<_>>()
    })?;
    let mut all: Vec<u64> = given.into_iter().flatten().collect();
    all.sort_unstable();
    ensure(all.iter().copied().eq(0..COUNT), || {
        format!(
            "of {COUNT} entries {} were given to threads that removed them",
            all.len()
        )
    })
}

fn never_goes_back(map: &dyn TestedMap) -> Result<(), Failure> {
    const KEYS: u64 = 8;
    const COUNT: u64 = 20_000;
    for number in 0..KEYS {
        map.insert(spread(number), spread(number));
    }
    let read = || {
        let mut last = [0; KEYS as usize];
        for number in (0..KEYS).cycle().take((COUNT * 2) as usize) {
            let key = spread(number);
            let found = map.get(key);
            let value = found.ok_or_else(|| format!("key {key} has no value"))?;
            let (of, version) = (value & ((1 << KEY_BITS) - 1), value >> KEY_BITS);
            if of != key {
                return Err(format!(
                    "key {key} has {value:#x}, which is the value of key {of}"
                ));
            }
            let before = std::mem::replace(&mut last[number as usize], version);
            if version < before {
                return Err(format!(
                    "key {key} had version {before}, and then {version}"
                ));
            }
        }
        Ok(())
    };
    let ended = together(|thread| {
        if thread > 0 {
            return read();
        }
        // Versions fit into the bits above a key.
        for (number, step) in (0..KEYS).cycle().zip(0..COUNT) {
            map.insert(spread(number), spread(number) | (step / KEYS) << KEY_BITS);
        }
        Ok(())
    })?;
    ended
        .into_iter()
        .try_for_each(|ended| ended.map_err(Failure::new))
}

/// A key: no two numbers have the same.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4b) & ((1 << KEY_BITS) - 1)
}
