//! Runs: plans, checks of the machine, server processes, interleaved rounds, records.
//!
//! A definition of a plan becomes a plan (pure), a plan becomes records (the one impure arrow of the
//! chain). Nothing here judges.

mod ahead;
mod alignment;
mod block;
mod budget;
mod callgrind;
mod catalogue;
mod child;
mod clock;
mod confine;
mod definition;
mod error;
mod fixtures;
mod folder;
mod gate_plan;
mod generator;
mod json_lines;
mod manifest;
mod matrix;
mod observer;
mod order;
mod placement;
mod plan;
mod preflight;
mod probe;
mod program;
mod qualify;
mod run;
mod server;
mod stop;
mod template;
mod toml_file;
mod triple;
mod triple_log;
mod turn_lengths;
mod watched_load;

#[cfg(test)]
mod testing;

pub use callgrind::{Callgrind, CallgrindError};
pub use catalogue::{Candidate, Catalogue, NameMiss, Subject, check_plan, nearest};
pub use child::tail;
pub use definition::{Cover, GroupDefinition, PlanDefinition};
pub use error::RunError;
pub use fixtures::write_fixtures;
pub use folder::{new_folder, stored_programs};
pub use gate_plan::{GateCell, GatePlan};
pub use manifest::{
    CAPABILITIES, ConfigFile, Listener, Manifest, Need, Ready, StoredManifest, find_program,
};
pub use matrix::command as built_command;
pub use observer::{Event, Observer, Silent};
pub use placement::{TooFewProcessors, place, place_for_cases, place_for_load, place_worker};
pub use plan::{PlanOptions, plan};
pub use preflight::{Finding, FindingState, preflight};
pub use program::{answer, build, identify};
pub use qualify::{
    HEAD_DEADLINE, Passed, Qualifier, QualifyTarget, Refusal, Unchecked, check_conformance,
    short_hash,
};
pub use run::{LOAD_SLACK, READY_LIMIT, RunOptions, RunOutcome, execute, now_s, resume};
pub use server::{Launch, Server, ServerOrder, StartFailure};
pub use stop::Stop;
pub use toml_file::DataError;
pub use triple::{Contestant, TripleOrder};
pub use triple_log::{TripleLog, TripleLogError, read_triples};
pub use turn_lengths::TurnLengths;
pub use watched_load::{Watch, Watched, WatchedLoad};
