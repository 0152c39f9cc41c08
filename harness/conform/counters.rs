//! Counters: what threads that share one must never see.

use ringside_contract::operations::counters::TestedCounter;

use crate::case::{Case, Failure, ensure};
use crate::in_process::{THREADS, asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process, on a counter that has counted nothing.
///
/// # Errors
/// What the counter did wrong, or that there is no such case.
pub fn run(name: &str, counter: &dyn TestedCounter) -> Result<(), Failure> {
    match name {
        "counts_what_a_thread_counts" => counts_what_a_thread_counts(counter),
        "loses_nothing_of_many_threads" => loses_nothing_of_many_threads(counter),
        "never_goes_back" => never_goes_back(counter),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "counts_what_a_thread_counts",
        "A thread alone finds as many as it has counted, after each one."
    ),
    asked!(
        "loses_nothing_of_many_threads",
        "When threads have counted at the same time and let go, the total is their sum."
    ),
    asked!(
        "never_goes_back",
        "A thread that counts and asks in turn finds no less than it has counted itself, and no less than before."
    ),
];

/// No multiple of what a thread might pass on at once.
const COUNT: u64 = 50_021;

fn total(counter: &dyn TestedCounter) -> u64 {
    let mut total = 0;
    counter.with_handle(&mut |handle| total = handle.total());
    total
}

fn counts_what_a_thread_counts(counter: &dyn TestedCounter) -> Result<(), Failure> {
    let mut outcome = Ok(());
    counter.with_handle(&mut |handle| {
        outcome = (0..1000).try_for_each(|number| {
            let found = handle.total();
            ensure(found == number, || {
                format!("{number} were counted, and the total is {found}")
            })?;
            handle.count();
            Ok(())
        });
    });
    outcome?;
    let found = total(counter);
    ensure(found == 1000, || {
        format!("1000 were counted, and the total is {found} for another thread")
    })
}

fn loses_nothing_of_many_threads(counter: &dyn TestedCounter) -> Result<(), Failure> {
    together(|_| {
        counter.with_handle(&mut |handle| (0..COUNT).for_each(|_| handle.count()));
    })?;
    let (found, expected) = (total(counter), COUNT * THREADS);
    ensure(found == expected, || {
        format!("{expected} were counted, and the total is {found}")
    })
}

fn never_goes_back(counter: &dyn TestedCounter) -> Result<(), Failure> {
    let outcomes = together(|_| {
        let (mut before, mut outcome) = (0, Ok(()));
        counter.with_handle(&mut |handle| {
            outcome = (1..=COUNT / 4).try_for_each(|own| {
                handle.count();
                let found = handle.total();
                ensure(found >= own && found >= before, || {
                    format!("the total is {found} after {before}, and the thread alone has counted {own}")
                })?;
                before = found;
                Ok(())
            });
        });
        outcome
    })?;
    outcomes.into_iter().collect()
}
