//! The `ringside` binary: reads the command line, hands over to the crate that does the work, prints
//! what came of it, and ends with a documented code. Nothing else in the project ends the process.

#![cfg_attr(
    not(measures),
    expect(
        dead_code,
        reason = "a build that only judges and reports uses a part of what the commands share"
    )
)]

mod args;
#[cfg(measures)]
mod builds;
mod catalogue;
mod commands;
mod datasets;
mod exit;
mod files;
#[cfg(measures)]
mod names;
mod output;
#[cfg(measures)]
mod progress;
#[cfg(measures)]
mod sampler;
#[cfg(measures)]
mod session;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches};

use crate::args::{Cli, Command};
use crate::exit::{Exit, code_of};
use crate::output::Output;

/// The system's allocator, with a count for each thread.
#[cfg(measures)]
#[global_allocator]
static ALLOCATOR: ringside_metal::CountingAllocator = ringside_metal::CountingAllocator;

fn main() -> ExitCode {
    let command = Cli::command().color(colour(std::env::args_os()));
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let output = Output::new(&cli.global);
    let exit = dispatch(cli, &output).unwrap_or_else(|error| {
        output.error(&error);
        code_of(&error)
    });
    let Some(lost) = output.lost() else {
        return exit.into();
    };
    output.error(&lost);
    // A code that says more than that all went well is kept.
    if exit == Exit::Ok { Exit::Error } else { exit }.into()
}

/// What `--color` says. It is looked for before the arguments are read, as what is wrong with them is
/// said in colours too.
fn colour(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let words: Vec<OsString> = arguments.collect();
    let value = words.iter().enumerate().rev().find_map(|(index, word)| {
        let word = word.to_str()?;
        match word.strip_prefix("--color=") {
            Some(value) => Some(value),
            None if word == "--color" => words.get(index + 1)?.to_str(),
            None => None,
        }
    });
    match value {
        Some("never") => ColorChoice::Never,
        Some("always") => ColorChoice::Always,
        _ => ColorChoice::Auto,
    }
}

fn dispatch(cli: Cli, output: &Output) -> anyhow::Result<Exit> {
    let Cli { global, command } = cli;
    match command {
        Command::List(args) => commands::list::list(&global, &args, output),
        Command::Judge(args) => commands::judge::judge(&global, &args, output),
        Command::Report(args) => commands::report::report(&args, output),
        Command::Completions(args) => Ok(commands::completions::completions(&args, output)),
        command => measure(&global, command, output),
    }
}

/// The commands that measure.
#[cfg(measures)]
fn measure(global: &args::Global, command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Doctor => commands::doctor::doctor(global, output),
        Command::Plan(args) => commands::plan::plan(global, &args, output),
        Command::Run(args) => commands::run::run(global, &args, output),
        Command::BenchAll(args) => commands::bench_all::bench_all(global, &args, output),
        Command::Compare(args) => commands::compare::compare(global, &args, output),
        Command::Gate(args) => commands::gate::gate(global, &args, output),
        Command::Count(args) => commands::count::count(&args),
        Command::Profile(args) => commands::profile::profile(global, &args, output),
        Command::Identity => commands::identity::identity(global, output),
        Command::Turns(args) => commands::turns::turns(global, &args, output),
        Command::Serve(args) => commands::serve::serve(global, &args, output),
        Command::Load(args) => commands::load::load(global, &args, output),
        Command::Verify(args) => commands::verify::verify(global, &args, output),
        Command::List(_) | Command::Judge(_) | Command::Report(_) | Command::Completions(_) => {
            unreachable!("`dispatch` takes these itself")
        }
    }
}

/// Elsewhere than on Linux there is nothing to measure with.
#[cfg(not(measures))]
fn measure(_: &args::Global, _: Command, _: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!(
        "this build of ringside only judges and reports: measuring needs Linux. \
         Run this command on a Linux machine and bring the run's folder here for `judge` and `report`"
    )
}
