//! `ringside turns`: one generator loads several servers in turn, as two builds are compared. What it prints
//! is for programs.

use anyhow::Context;
use ringside_contract::BlockTiming;
use ringside_load::TurnOptions;

use crate::args::{Global, TurnsArgs};
use crate::catalogue;
use crate::commands::load::{milliseconds, scenario, usage};
use crate::exit::{Exit, UsageError};
use crate::output::Output;

/// Loads the servers in turn and prints the turns as one line of JSON.
pub(crate) fn turns(global: &Global, args: &TurnsArgs, output: &Output) -> anyhow::Result<Exit> {
    let catalogue = catalogue::catalogue(global)?;
    let (scenario, params) = scenario(&catalogue, &args.scenario)?;
    let options = options(args)?;
    let taken = ringside_load::take_turns(scenario, &params, &options)
        .map_err(usage)
        .with_context(|| {
            format!(
                "failed to load {} servers with {}",
                args.target.len(),
                params.spec()
            )
        })?;
    output.json(&taken)?;
    Ok(Exit::Ok)
}

fn options(args: &TurnsArgs) -> Result<TurnOptions, UsageError> {
    if args.target.len() != args.watch.len() {
        return Err(UsageError(format!(
            "{} targets and {} processes: give --watch one process for each server",
            args.target.len(),
            args.watch.len()
        )));
    }
    Ok(TurnOptions {
        servers: args
            .target
            .iter()
            .copied()
            .zip(args.watch.clone())
            .collect(),
        order: args
            .order
            .iter()
            .map(|round| places(round))
            .collect::<Result<_, _>>()?,
        timing: BlockTiming {
            warmup_ms: milliseconds("--warmup", &args.warmup)?,
            measure_ms: milliseconds("--measure", &args.measure)?,
            count_ms: milliseconds("--count", &args.count)?,
        },
        seed: args.seed,
        cpus: args.cpus.clone(),
        congestion: args.congestion.clone(),
        allow_remote: false,
    })
}

/// The servers' places in one round, such as `0.2.1`.
fn places(round: &str) -> Result<Vec<usize>, UsageError> {
    let place = |text: &str| {
        text.parse()
            .map_err(|_| UsageError(format!("--order {round}: expected places such as 0.2.1")))
    };
    round.split('.').map(place).collect()
}
