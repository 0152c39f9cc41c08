//! What a build of this tool says of itself when the gate asks.

use std::collections::BTreeSet;
use std::path::Path;

use ringside_contract::{Build, GATE_SCHEMA};
use ringside_run::Stop;
use serde::{Deserialize, Serialize};

use crate::exit::UsageError;
use crate::files::of_schema;

/// The answer of `ringside identity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The form of its gate's documents, [`GATE_SCHEMA`].
    pub(crate) schema: u32,
    /// How it was built.
    pub(crate) build: Build,
    /// Ids of its implementations.
    pub(crate) implementations: BTreeSet<String>,
    /// Ids of its scenarios.
    pub(crate) scenarios: BTreeSet<String>,
    /// Names of its pure functions whose instructions can be counted. Builds from before these have none.
    #[serde(default)]
    pub(crate) functions: BTreeSet<String>,
}

impl Identity {
    /// Asks the program in `file`, which the caller knows as `name`; `log` takes its standard error.
    ///
    /// # Errors
    /// What is wrong with the program, and what to do.
    pub(crate) fn ask(file: &Path, name: &Path, log: &Path, stop: &Stop) -> anyhow::Result<Self> {
        let argv = [file.display().to_string(), "identity".to_owned()];
        let answer = ringside_run::answer(&argv, log, stop).map_err(|because| {
            UsageError(format!(
                "{} is no build of this tool that a gate can compare: `identity` failed, {because}; give a build \
                 that has this command, or the id of an outside program with --implementation",
                name.display()
            ))
        })?;
        let read = of_schema(GATE_SCHEMA, answer.as_bytes(), name, REMEDY);
        Ok(read.map_err(|error| UsageError(format!("{error:#}")))?)
    }
}

const REMEDY: &str = "compare builds of one schema, with the tool of the newer one";
