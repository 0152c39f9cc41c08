//! `ringside completions`: a completion script for a shell.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::exit::Exit;
use crate::output::Output;

/// Prints the script. It is made in memory first, as its maker panics when it cannot write.
pub(crate) fn completions(args: &CompletionsArgs, output: &Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ringside", &mut script);
    output.line(String::from_utf8_lossy(&script).trim_end());
    Exit::Ok
}
