//! What a build of this tool says of itself when the gate asks.

use std::collections::BTreeSet;
use std::path::Path;

use ringside_contract::{Build, GATE_SCHEMA};
use ringside_run::Stop;
use serde::{Deserialize, Serialize};

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
}

/// Only the number, which every schema has.
#[derive(Deserialize)]
struct SchemaNumber {
    schema: u64,
}

impl Identity {
    /// Asks the program in `file`; `log` takes its standard error.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the program and what to do.
    pub(super) fn ask(file: &Path, log: &Path, stop: &Stop) -> Result<Self, String> {
        let argv = [file.display().to_string(), "identity".to_owned()];
        let answer = ringside_run::answer(&argv, log, stop).map_err(|because| {
            format!(
                "{} is no build of this tool that a gate can compare: `identity` failed, {because}; give a build \
                 that has this command, or the id of an outside program with --implementation",
                file.display()
            )
        })?;
        Self::parse(&answer).map_err(|because| format!("{}: {because}", file.display()))
    }

    fn parse(answer: &str) -> Result<Self, String> {
        if let Ok(SchemaNumber { schema }) = serde_json::from_str(answer)
            && schema != u64::from(GATE_SCHEMA)
        {
            return Err(format!(
                "it writes documents of schema {schema}, and this program those of schema {GATE_SCHEMA}; compare \
                 builds of one schema, with the tool of the newer one"
            ));
        }
        serde_json::from_str(answer).map_err(|error| {
            format!("`identity` printed something else than was expected: {error}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, parts: &[&str]) {
        let error = Identity::parse(answer).unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn another_schema_is_named_with_what_to_do() {
        check(
            r#"{"schema":2,"implementations":7}"#,
            &["schema 2", "schema 1", "compare builds of one schema"],
        );
        check("hello", &["`identity` printed something else"]);
        check(r#"{"schema":1}"#, &["missing field"]);
    }

    #[test]
    fn an_answer_of_this_schema_is_read() {
        let identity = Identity {
            schema: GATE_SCHEMA,
            build: Build::default(),
            implementations: BTreeSet::from(["echo/epoll".to_owned()]),
            scenarios: BTreeSet::new(),
        };
        let text = serde_json::to_string(&identity).unwrap();
        assert_eq!(Identity::parse(&text), Ok(identity));
    }
}
