//! `ringside count`: the work of pure functions, one after another, for a tool that counts instructions. The
//! gate runs it of both builds, and finds two functions of this file by their names.

use ringside_contract::CountedFunction;

use crate::args::CountArgs;
use crate::catalogue;
use crate::exit::{Exit, UsageError};

/// How often the work is done: enough for a count that a single slow way of the allocator does not move.
const REPETITIONS: u32 = 100;

/// Does the work of each function.
pub(crate) fn count(args: &CountArgs) -> anyhow::Result<Exit> {
    #[cfg(feature = "plant")]
    ringside_metal::plant::start().map_err(|error| UsageError(error.to_string()))?;
    let functions = args.functions.iter().map(|name| function(name));
    for function in functions.collect::<Result<Vec<_>, _>>()? {
        let mut work = (function.prepare)();
        // Once uncounted: what a first call finds out or sets up is no part of the function.
        work();
        ringside_counted_work(&mut work);
        ringside_counted_end(function.name);
    }
    Ok(Exit::Ok)
}

fn function(name: &str) -> Result<&'static CountedFunction, UsageError> {
    let mut functions = catalogue::counted_functions();
    let found = functions.find(|function| function.name == name);
    found.ok_or_else(|| {
        UsageError(format!(
            "there is no function {name} whose instructions are counted; `ringside identity` names them"
        ))
    })
}

/// What is counted (`--toggle-collect`). There is no closure in it, whose name would hold this one.
#[inline(never)]
fn ringside_counted_work(work: &mut dyn FnMut()) {
    for _ in 0..REPETITIONS {
        work();
    }
}

/// What was counted until here is one function's (`--dump-before`).
#[inline(never)]
fn ringside_counted_end(name: &str) {
    std::hint::black_box(name);
}
