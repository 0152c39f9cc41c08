//! Limits: how much may go on, and what has to.

use ringside_contract::operations::rate_limit::TestedRate;

use crate::case::{Case, Failure, ensure};
use crate::in_process::{asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// What makes a limit one of how much is done in a second.
pub fn quality() -> &'static [Case] {
    QUALITY
}

/// Runs a case in this process.
///
/// # Errors
/// What a limit did wrong, or that there is no such case.
pub fn run(name: &str, rate: &dyn TestedRate) -> Result<(), Failure> {
    match name {
        "lets_a_slow_one_through" => lets_a_slow_one_through(rate),
        "refuses_a_flood_at_once" => refuses_a_flood_at_once(rate),
        "lets_through_as_many_as_it_says" => lets_through_as_many_as_it_says(rate),
        "holds_for_threads" => holds_for_threads(rate),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "lets_a_slow_one_through",
        "Requests that come at half the limit, one after the other, all go on."
    ),
    asked!(
        "refuses_a_flood_at_once",
        "Of requests that come at one moment and do not end, no more go on than the limit lets through in a second."
    ),
];

const QUALITY: &[Case] = &[
    asked!(
        "lets_through_as_many_as_it_says",
        "Of requests at ten times the limit, for ten seconds and each ended at once, as many go on as the limit says, within 2 \
         of 100."
    ),
    asked!(
        "holds_for_threads",
        "Threads that ask at the same moment get no more together."
    ),
];

/// Requests in a second.
const RATE: u64 = 10_000;
const SECOND_NS: u64 = 1_000_000_000;
/// No clock begins at 0.
const BEGIN_NS: u64 = 50 * SECOND_NS;

fn lets_a_slow_one_through(rate: &dyn TestedRate) -> Result<(), Failure> {
    let limit = rate.of(RATE);
    for number in 0..RATE {
        let now = BEGIN_NS + number * 2 * SECOND_NS / RATE;
        ensure(limit.begin(now), || {
            format!("request {number} at half the limit was refused")
        })?;
        limit.end();
    }
    Ok(())
}

fn refuses_a_flood_at_once(rate: &dyn TestedRate) -> Result<(), Failure> {
    let limit = rate.of(RATE);
    let went_on = (0..3 * RATE).filter(|_| limit.begin(BEGIN_NS)).count() as u64;
    ensure((1..=RATE).contains(&went_on), || {
        format!("{went_on} requests went on at one moment, and the limit is {RATE} in a second")
    })
}

fn lets_through_as_many_as_it_says(rate: &dyn TestedRate) -> Result<(), Failure> {
    let limit = rate.of(RATE);
    let mut went_on = 0_u64;
    for number in 0..100 * RATE {
        if limit.begin(BEGIN_NS + number * SECOND_NS / (10 * RATE)) {
            went_on += 1;
            limit.end();
        }
    }
    let expected = 10 * RATE;
    ensure(went_on.abs_diff(expected) * 50 <= expected, || {
        format!("{went_on} requests went on in ten seconds, and the limit is {RATE} in one")
    })
}

fn holds_for_threads(rate: &dyn TestedRate) -> Result<(), Failure> {
    let limit = rate.of(RATE);
    let went_on = together(|_| {
        let mut went_on = 0_u64;
        for number in 0..RATE {
            if limit.begin(BEGIN_NS + number * SECOND_NS / RATE) {
                went_on += 1;
                limit.end();
            }
        }
        went_on
    })?;
    let sum: u64 = went_on.into_iter().sum();
    // What goes on at once comes on top.
    ensure(sum <= RATE + RATE / 50, || {
        format!("{sum} requests of threads went on in a second, and the limit is {RATE}")
    })
}
