//! Backends: who gets a request, and who must not.

use std::collections::BTreeMap;

use ringside_contract::operations::backends::{
    BACKENDS_MAX, BackendTable, TestedBackends, address,
};

use crate::case::{Case, Failure, ensure};
use crate::in_process::{asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// What a table did wrong, or that there is no such case.
pub fn run(name: &str, backends: &dyn TestedBackends) -> Result<(), Failure> {
    match name {
        "goes_round_among_all" => goes_round_among_all(backends),
        "leaves_out_who_is_ill" => leaves_out_who_is_ill(backends),
        "takes_back_who_is_well_again" => takes_back_who_is_well_again(backends),
        "picks_nobody_where_all_are_ill" => picks_nobody_where_all_are_ill(backends),
        "never_picks_who_was_ill_before" => never_picks_who_was_ill_before(backends),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "goes_round_among_all",
        "Of 1, 10 and 64 backends each gets as many requests as any other one."
    ),
    asked!(
        "leaves_out_who_is_ill",
        "Backends that are ill get no request, and the others the same share each."
    ),
    asked!(
        "takes_back_who_is_well_again",
        "A backend that is well again gets its share; that one is ill, or well, can be said twice."
    ),
    asked!(
        "picks_nobody_where_all_are_ill",
        "Where all are ill, none is picked."
    ),
    asked!(
        "never_picks_who_was_ill_before",
        "While threads pick, one becomes ill and well again: who finds that out from the thread that says so is told accordingly."
    ),
];

/// How many requests each backend gets in three rounds, and that nobody else does.
fn shares(table: &dyn BackendTable, well: &[u32]) -> Result<(), Failure> {
    let mut counts: BTreeMap<_, u32> = well.iter().map(|&number| (address(number), 0)).collect();
    for turn in 0..3 * well.len() as u32 {
        let picked = table.pick(turn);
        let count = picked.as_ref().and_then(|picked| counts.get_mut(picked));
        let Some(count) = count else {
            return Err(Failure::new(format!(
                "turn {turn} picked {picked:?}, and of {} backends {well:?} are well",
                well.len()
            )));
        };
        *count += 1;
    }
    ensure(counts.values().all(|&count| count == 3), || {
        format!(
            "in three rounds backends got {:?} requests",
            counts.values()
        )
    })
}

fn goes_round_among_all(backends: &dyn TestedBackends) -> Result<(), Failure> {
    for count in [1, 10, BACKENDS_MAX] {
        let all: Vec<_> = (0..count).collect();
        shares(backends.of(count).as_ref(), &all)?;
    }
    Ok(())
}

fn leaves_out_who_is_ill(backends: &dyn TestedBackends) -> Result<(), Failure> {
    let table = backends.of(20);
    for number in (0..20).step_by(3) {
        table.set_health(number, false);
    }
    let well: Vec<_> = (0..20).filter(|number| number % 3 > 0).collect();
    shares(table.as_ref(), &well)
}

fn takes_back_who_is_well_again(backends: &dyn TestedBackends) -> Result<(), Failure> {
    let table = backends.of(4);
    for is_well in [false, false, true, true, false, true] {
        table.set_health(2, is_well);
        let well: Vec<_> = (0..4).filter(|&number| is_well || number != 2).collect();
        shares(table.as_ref(), &well)?;
    }
    Ok(())
}

fn picks_nobody_where_all_are_ill(backends: &dyn TestedBackends) -> Result<(), Failure> {
    let table = backends.of(5);
    (0..5).for_each(|number| table.set_health(number, false));
    for turn in [0, 1, u32::MAX] {
        let picked = table.pick(turn);
        ensure(picked.is_none(), || {
            format!("turn {turn} picked {picked:?}, and all are ill")
        })?;
    }
    Ok(())
}

fn never_picks_who_was_ill_before(backends: &dyn TestedBackends) -> Result<(), Failure> {
    let table = backends.of(4);
    let table = table.as_ref();
    let outcomes = together(|thread| {
        // Each thread has a backend of its own that it says is ill, and two threads only pick.
        let own = thread as u32;
        for turn in 0..20_000_u32 {
            let is_ill = thread < 2 && turn % 2 == 0;
            if thread < 2 {
                table.set_health(own, !is_ill);
            }
            let picked = table.pick(turn);
            let may_be = picked.is_some_and(|picked| !(is_ill && picked == address(own)));
            ensure(may_be, || {
                format!("turn {turn} of a thread that said backend {own} is ill picked {picked:?}")
            })?;
        }
        Ok(())
    })?;
    outcomes.into_iter().collect()
}
