//! Map: what threads that share one must never see. Each entry's value holds its key, so that a value of another key and
//! one that nobody wrote are told from a right one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use ringside_contract::operations::map::{KEY_BITS, TestedMap};

use crate::case::{Case, Failure, ensure};
use crate::in_process::{THREADS, asked, together};

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
        "finds_entries_while_it_grows" => finds_entries_while_it_grows(map),
        "counts_each_change_once" => counts_each_change_once(map),
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
    asked!(
        "finds_entries_while_it_grows",
        "Entries that nobody changes are found at any time while another thread adds 20,000."
    ),
    asked!(
        "counts_each_change_once",
        "Of threads that add and remove the same keys, each adds what was not there and removes what was: as often as it is \
         there at the end."
    ),
];

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

fn loses_no_change_of_many_threads(map: &dyn TestedMap) -> Result<(), Failure> {
    const COUNT: u64 = 5_000;
    let own = |thread: u64, number: u64| spread(number * THREADS + thread);
    together(|thread| {
        for number in 0..COUNT {
            let before = map.insert(own(thread, number), number);
            let removed = (number % 2 == 1).then(|| map.remove(own(thread, number - 1)));
            let expected = removed.map(|_| Some(number - 1));
            if before.is_some() || removed != expected {
                return Err(Failure::new(format!(
                    "thread {thread} added entry {number} and found {before:?}, removed the one before and found {removed:?}"
                )));
            }
        }
        Ok(())
    })?
    .into_iter()
    .collect::<Result<(), _>>()?;
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

fn finds_entries_while_it_grows(map: &dyn TestedMap) -> Result<(), Failure> {
    const FIXED: u64 = 8;
    const COUNT: u64 = 20_000;
    (0..FIXED).for_each(|number| {
        map.insert(spread(number), number);
    });
    let ended = AtomicBool::new(false);
    let outcomes = together(|thread| {
        if thread == 0 {
            (FIXED..FIXED + COUNT).for_each(|number| {
                map.insert(spread(number), number);
            });
            ended.store(true, Ordering::Release);
            return Ok(());
        }
        // At least once round, however late this thread has begun.
        for (step, number) in (0_u64..).zip((0..FIXED).cycle()) {
            let found = map.get(spread(number));
            if found != Some(number) {
                return Err(Failure::new(format!(
                    "entry {number}, which nobody changes, was {found:?} while others were added"
                )));
            }
            if step >= FIXED && ended.load(Ordering::Acquire) {
                break;
            }
        }
        Ok(())
    })?;
    outcomes.into_iter().collect()
}

fn counts_each_change_once(map: &dyn TestedMap) -> Result<(), Failure> {
    const KEYS: u64 = 4;
    const COUNT: u64 = 10_000;
    let balances = together(|thread| {
        let mut balance = [0_i64; KEYS as usize];
        for step in 0..COUNT {
            let number = (step + thread) % KEYS;
            // Threads that add meet threads that remove.
            if (step / KEYS + thread).is_multiple_of(2) {
                balance[number as usize] += i64::from(map.insert(spread(number), step).is_none());
            } else {
                balance[number as usize] -= i64::from(map.remove(spread(number)).is_some());
            }
        }
        balance
    })?;
    for number in 0..KEYS {
        let balance: i64 = balances.iter().map(|of| of[number as usize]).sum();
        let there = i64::from(map.get(spread(number)).is_some());
        ensure(balance == there, || {
            format!(
                "key {number} was added {balance} times more than removed, and is there {there} times"
            )
        })?;
    }
    Ok(())
}

/// A key: no two numbers have the same.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4b) & ((1 << KEY_BITS) - 1)
}
