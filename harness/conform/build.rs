//! Builds: whatever flags a program was built with, it must compute the same.

use ringside_contract::operations::build::{Part, TESTED_TURNS, TestedBuild};

use crate::case::{Case, Failure, ensure};
use crate::in_process::asked;

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// What a build computed otherwise, or that there is no such case.
pub fn run(name: &str, build: &dyn TestedBuild) -> Result<(), Failure> {
    match name {
        "computes_as_others_do" => computes_as_others_do(build),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[asked!(
    "computes_as_others_do",
    "The results of 1,000 turns of each loop add up to what they did in another build."
)];

/// What each loop gives. Atomics count the turns. The others were written down from a build for tests.
const SUMS: [(Part, u64); 6] = [
    (Part::Hash, 0x2cfa_0700_d1a0_da66),
    (Part::Codec, 0x7bde_f7bd_ef7b_d652),
    (Part::Map, 0x5881_24bf_b8c3_cdb4),
    (Part::Http, 0xdef7_bdef_7bde_f729),
    (Part::Atomics, TESTED_TURNS as u64),
    (Part::Floats, 0x4084_4568_4484_cfe6),
];

fn computes_as_others_do(build: &dyn TestedBuild) -> Result<(), Failure> {
    for (part, expected) in SUMS {
        let sum = build.sum(part).map_err(Failure::new)?;
        ensure(sum == expected, || {
            format!("{part:?}: {sum:#x}, and {expected:#x} elsewhere")
        })?;
    }
    Ok(())
}
