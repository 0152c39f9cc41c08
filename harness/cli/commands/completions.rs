//! `ringside completions`: a completion script for a shell.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::exit::Exit;

/// Prints the script.
pub(crate) fn completions(args: &CompletionsArgs) -> Exit {
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        "ringside",
        &mut std::io::stdout(),
    );
    Exit::Ok
}
